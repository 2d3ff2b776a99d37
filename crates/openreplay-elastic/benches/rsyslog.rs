//! rsyslog's omelasticsearch from file to wire, for comparison: `cargo bench -p openreplay-elastic --bench rsyslog`.
//!
//! Not part of a plain `cargo bench`: it needs Debian's packages rsyslog and rsyslog-elasticsearch, and fails without.
//! The far end and the records are those of the benchmark `writer`, whose figure this one stands beside.

#[path = "common/mod.rs"]
mod common;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{env, thread};

use common::{NullEndpoint, line, median};

const RSYSLOGD: &str = "/usr/sbin/rsyslogd";

fn main() {
    common::serve_if_asked();
    let quick = env::args().any(|arg| arg == "--quick");
    let (rounds, records) = if quick { (1, 20_000) } else { (3, 200_000) };
    assert!(
        Path::new(RSYSLOGD).exists(),
        "{RSYSLOGD} is absent: install Debian's rsyslog and rsyslog-elasticsearch"
    );
    let costs = (0..rounds).map(|_| round(records)).collect();
    let cost = median(costs);
    println!(
        "rsyslog, file to wire, CPU time a record, median of {rounds} rounds of {records}: {cost:.0} ns"
    );
    println!("records a CPU second: {:.0}", 1e9 / cost);
}

/// Nanoseconds of CPU time a record.
fn round(records: usize) -> f64 {
    let far_end = NullEndpoint::start();
    let folder = env::temp_dir().join(format!("openreplay-rsyslog-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let mut file =
        std::io::BufWriter::new(fs::File::create(folder.join("records")).expect("a file"));
    for number in 0..records {
        file.write_all(line(number).as_bytes())
            .expect("room for it");
    }
    file.flush().expect("room for it");

    let folder_name = folder.display();
    let port = far_end.url.rsplit(':').next().expect("a port");
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
    while far_end.records() < records {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "rsyslog sent {} of {records}",
            far_end.records()
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

/// User and system time of a process, all threads: fields 14 and 15 of its `stat`, in hundredths of a second.
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
