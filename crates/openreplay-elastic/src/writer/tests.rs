use super::*;

#[test]
fn the_writer_crosses_threads_and_shows_no_secret() {
    fn crosses<T: Send + Sync + Clone + 'static>(_: &T) {}
    let builder = ElasticWriter::builder("http://user:hunter2@localhost:1");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let (writer, guard) = builder
        .shutdown_timeout(std::time::Duration::ZERO)
        .build()
        .unwrap();
    crosses(&writer);
    assert!(!format!("{writer:?} {guard:?}").contains("hunter2"));
}

#[test]
fn takes_any_duration_for_a_limit() {
    let (_writer, guard) = ElasticWriter::builder("http://localhost:1")
        .shutdown_timeout(std::time::Duration::MAX)
        .build()
        .unwrap();
    assert!(guard.flush(std::time::Duration::MAX).is_complete());
    assert!(guard.shutdown(std::time::Duration::MAX).is_complete());
}

#[test]
fn credentials_over_http_to_another_machine_are_reported() {
    let (reports, received) = std::sync::mpsc::channel();
    // a name that nothing resolves
    let builder = ElasticWriter::builder("http://elastic.invalid:9200").bearer("secret");
    let (_writer, guard) = builder
        .on_diagnostic(move |text| drop(reports.send(text.to_owned())))
        .build()
        .unwrap();
    let text = received
        .recv_timeout(std::time::Duration::from_secs(60))
        .unwrap();
    assert_eq!(
        text,
        "the credentials are sent to http://elastic.invalid:9200 in clear text; use https"
    );
    assert_eq!(guard.shutdown(std::time::Duration::ZERO).left(), 0);
}
