//! `ship`, the writer and rsyslog's omelasticsearch, to the wire, in one run: `cargo bench -p
//! openreplay-elastic --bench rsyslog --features ship`; `-- --quick` runs one small round.
//!
//! Not part of a plain `cargo bench`: it needs Debian's packages rsyslog and rsyslog-elasticsearch,
//! and fails without. The server and the records are those of the benchmark `writer`.

#[path = "common/mod.rs"]
mod common;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{env, thread};

use common::{line, median};
use cpu_time::ProcessTime;
use openreplay_elastic::ship::{ShipOptions, Shipper};
use openreplay_elastic::{Client, Connection, ElasticWriter};
use openreplay_session::{SessionId, sync_scope};
use test_kit::NullEndpoint;
use tracing::dispatcher::{Dispatch, with_default};
use tracing_subscriber::prelude::*;

const RSYSLOGD: &str = "/usr/sbin/rsyslogd";

fn main() {
    NullEndpoint::serve_if_requested();
    let quick = env::args().any(|arg| arg == "--quick");
    let (rounds, records) = if quick { (1, 100_000) } else { (3, 200_000) };
    assert!(
        Path::new(RSYSLOGD).exists(),
        "{RSYSLOGD} is absent: install Debian's rsyslog and rsyslog-elasticsearch"
    );
    let mut costs: [Vec<f64>; 3] = Default::default();
    for _ in 0..rounds {
        // ours take a small part of rsyslog's time: more records give them a figure
        let round = [rsyslog(records), ship(records * 5), event(records * 5)];
        for (costs, cost) in costs.iter_mut().zip(round) {
            costs.push(cost);
        }
    }
    let [rsyslog, ship, event] = costs.map(median);
    println!("CPU time a record, medians of {rounds} rounds");
    for (name, cost) in [
        ("rsyslog, file to wire", rsyslog),
        ("ship, file to wire", ship),
        ("the writer, event to wire", event),
    ] {
        println!(
            "{name:<26} {cost:>7.0} ns: {:>9.0} records a CPU second, {:>5.1} times rsyslog's",
            1e9 / cost,
            rsyslog / cost
        );
    }
}

/// The library's shipper, from a file to the wire: nanoseconds of this process a record.
fn ship(records: usize) -> f64 {
    let server = NullEndpoint::start();
    let folder = folder("ship", records);
    let connection = Connection::builder(server.url()).build();
    let client = Client::new(&connection.expect("an address")).expect("a client");
    let options = ShipOptions::new(folder.join("ship.json"))
        .file(folder.join("records").display().to_string());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let start = ProcessTime::now();
    let shipped = runtime.block_on(async {
        let shipper = Shipper::open(client, options)?;
        shipper.run_once(|_| ()).await
    });
    let cost = start.elapsed().as_nanos() as f64 / records as f64;
    assert_eq!(shipped.expect("a server").stored, records as u64);
    let _ = fs::remove_dir_all(&folder);
    cost
}

/// From the log call to the wire, once the buffer has been used: nanoseconds of this process a
/// record.
fn event(records: usize) -> f64 {
    const AT_ONCE: usize = 50_000;
    let server = NullEndpoint::start();
    let builder = ElasticWriter::builder(server.url());
    let (writer, guard) = builder.build().expect("a writer");
    let layer = tracing_openreplay::json()
        .with_writer(writer.clone())
        .with_service_name("shop");
    let to = Dispatch::new(tracing_subscriber::registry().with(layer));
    let session: SessionId = "4950498349085463837".parse().expect("an id");
    let log = || {
        with_default(&to, || {
            sync_scope(session, || {
                let _span = tracing::info_span!("request", method = "GET").entered();
                for user in 0..AT_ONCE {
                    tracing::info!(status = 200, took_ms = 12, user, "request finished");
                }
            });
        });
        assert!(guard.flush(Duration::from_secs(60)).is_complete());
    };
    log();
    let start = ProcessTime::now();
    for _ in 0..records / AT_ONCE {
        log();
    }
    let cost = start.elapsed().as_nanos() as f64 / records as f64;
    assert_eq!(writer.stats().dropped, 0);
    cost
}

/// A folder of this run's own, with a file of records.
fn folder(name: &str, records: usize) -> PathBuf {
    let folder = env::temp_dir().join(format!("openreplay-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let file = fs::File::create(folder.join("records")).expect("a file");
    let mut file = std::io::BufWriter::new(file);
    for number in 0..records {
        file.write_all(line(number).as_bytes())
            .expect("room for it");
    }
    file.flush().expect("room for it");
    folder
}

/// rsyslog's imfile and omelasticsearch: nanoseconds of its process a record.
fn rsyslog(records: usize) -> f64 {
    let server = NullEndpoint::start();
    let folder = folder("rsyslog", records);
    let folder_name = folder.display();
    let port = server.url().rsplit(':').next().expect("a port");
    let configuration = format!(
        r#"global(workDirectory="{folder_name}" maxMessageSize="512k")
module(load="imfile")
module(load="omelasticsearch")
template(name="record" type="string" string="%msg%")
input(type="imfile" File="{folder_name}/records" Tag="bench" ruleset="bench")
ruleset(name="bench") {{
  action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" searchIndex="logs" searchType=""
         bulkmode="on" template="record" queue.type="linkedList" queue.size="300000"
         queue.dequeueBatchSize="1000" action.resumeRetryCount="-1")
}}
"#
    );
    let path = folder.join("rsyslog.conf");
    fs::write(&path, configuration).expect("room for it");
    let child = Command::new(RSYSLOGD)
        .args(["-n", "-f"])
        .arg(&path)
        .arg("-i")
        .arg(folder.join("pid"))
        .spawn()
        .expect("rsyslogd starts");
    let mut rsyslogd = Running(child);
    let start = Instant::now();
    while server.records() < records {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "rsyslog sent {} of {records}",
            server.records()
        );
        assert!(
            rsyslogd.0.try_wait().expect("a child of ours").is_none(),
            "rsyslogd ended"
        );
        thread::sleep(Duration::from_millis(20));
    }
    let cost = cpu_time(rsyslogd.0.id()).as_nanos() as f64 / records as f64;
    drop(rsyslogd);
    let _ = fs::remove_dir_all(&folder);
    cost
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// User and system time of a process, all threads: fields 14 and 15 of its `stat`, in hundredths of
/// a second.
fn cpu_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    let after_name = stat.rsplit(')').next().expect("a name");
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * 10)
}
