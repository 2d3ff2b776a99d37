use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use test_kit::Lines;
use tracing::{Level, Metadata, info, warn};
use tracing_openreplay::json;
use tracing_subscriber::{Layer, Registry, fmt::MakeWriter, prelude::*};

/// A writer that counts its calls.
#[derive(Clone, Default)]
struct Calls(Arc<AtomicUsize>);

impl Write for Calls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(bytes.starts_with(b"{") && bytes.ends_with(b"}\n"));
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_record_is_written_with_one_call() {
    let calls = Calls::default();
    let writer = calls.clone();
    let layer = json().with_writer(move || writer.clone());
    tracing::subscriber::with_default(Registry::default().with(layer), || {
        info!(a = 1, "short");
        info!("{}", "long ".repeat(100_000));
    });
    assert_eq!(calls.0.load(Ordering::Relaxed), 2);
}

#[test]
fn the_writer_may_depend_on_the_event() {
    struct ByLevel(Lines);

    impl<'a> MakeWriter<'a> for ByLevel {
        type Writer = Box<dyn Write + 'a>;

        fn make_writer(&'a self) -> Self::Writer {
            Box::new(io::sink())
        }

        fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
            if *metadata.level() == Level::WARN {
                Box::new(self.0.clone())
            } else {
                self.make_writer()
            }
        }
    }

    let written = Lines::default();
    let layer = json().with_writer(ByLevel(written.clone()));
    tracing::subscriber::with_default(Registry::default().with(layer), || {
        info!("elsewhere");
        warn!("here");
    });
    let records = written.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["message"], "here");
}

#[test]
fn a_failing_writer_does_not_affect_log_calls() {
    struct Failing;

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let layer = json().with_writer(|| Failing);
    let losses = layer.losses();
    tracing::subscriber::with_default(Registry::default().with(layer), || {
        for _ in 0..100 {
            info!("lost");
        }
    });
    assert_eq!(losses.total(), 100);
}

#[test]
fn a_writers_error_that_panics_in_display_does_not_affect_log_calls() {
    #[derive(Debug)]
    struct Panics;

    impl std::fmt::Display for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no text")
        }
    }

    impl std::error::Error for Panics {}

    struct Failing;

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other(Panics))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let layer = json().with_writer(|| Failing);
    let losses = layer.losses();
    tracing::subscriber::with_default(Registry::default().with(layer), || info!("lost"));
    assert_eq!(losses.total(), 1);
}

#[test]
fn a_writers_error_that_cannot_be_displayed_does_not_affect_log_calls() {
    #[derive(Debug)]
    struct NoText;

    impl std::fmt::Display for NoText {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }

    impl std::error::Error for NoText {}

    struct Failing;

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other(NoText))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let layer = json().with_writer(|| Failing);
    let losses = layer.losses();
    tracing::subscriber::with_default(Registry::default().with(layer), || info!("lost"));
    assert_eq!(losses.total(), 1);
}

#[test]
fn the_harness_captures_the_output_of_the_test_writer() {
    const CHILD: &str = "TRACING_OPENREPLAY_CAPTURED";
    if let Some(writer) = std::env::var_os(CHILD) {
        let layer: Box<dyn Layer<Registry> + Send + Sync> = match writer.to_str() {
            Some("test") => json().with_test_writer().boxed(),
            _ => json().boxed(),
        };
        let subscriber = Registry::default().with(layer);
        tracing::subscriber::with_default(subscriber, || info!("in a test"));
        return;
    }
    let output = |writer: &str, arguments: &[&str]| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .arg("--exact")
            .arg("writer::the_harness_captures_the_output_of_the_test_writer")
            .args(arguments)
            .env(CHILD, writer)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let record = r#""message":"in a test""#;
    // By default, the harness does not show the output of successful tests.
    assert!(!output("test", &[]).contains(record));
    assert!(output("test", &["--show-output"]).contains(record));
    assert!(
        output("stdout", &[]).contains(record),
        "the harness did not capture the record"
    );
}
