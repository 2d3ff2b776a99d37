//! One session through the three services, each a process of its own.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use integration_tests::nginx;
use serde_json::Value;

const HEADER: &str = "openReplaySession.id";
const ID: &str = "4950498349085463837";
/// A token of the same session.
const TOKEN: &str = "11m0l7dhxvfh9.0.mkb4q5xs.4YCTxcTaFVmdKVzHfzHrB8mB3nCyP1kZRuwYbtpYtY2u";

struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(program: &str, environment: &[(&str, String)]) -> Self {
        let mut process = Command::new(program)
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        stderr.read_line(&mut line).unwrap();
        // what else it says is shown: a pipe that nobody reads would stop it
        thread::spawn(move || io::copy(&mut stderr, &mut io::stderr()));
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap()
            .to_owned();
        Self { process, address }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it, and gives what it wrote.
    fn records(mut self) -> Vec<Value> {
        self.process.kill().unwrap();
        let mut text = String::new();
        self.process
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A host that is not ours: answers as many requests as it is told to, and gives what it was sent.
fn foreign_host(requests: usize) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = thread::spawn(move || {
        (0..requests)
            .map(|_| {
                let (mut socket, _) = listener.accept().unwrap();
                let head = read_head(&mut socket);
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n1";
                socket.write_all(answer.as_bytes()).unwrap();
                head
            })
            .collect()
    });
    (url, heads)
}

fn read_head(socket: &mut TcpStream) -> String {
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn order(address: &str, headers: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let head =
        format!("POST /order/teapot HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{headers}\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn every_record_of_the_three_has_the_session_and_a_foreign_host_gets_nothing() {
    asks_the_three(|shop, headers| order(&shop.address, headers));
}

#[test]
#[ignore = "needs nginx"]
fn behind_nginx_every_record_of_the_three_has_the_session_and_a_foreign_host_gets_nothing() {
    asks_the_three(|shop, headers| {
        let nginx = nginx::start(&shop.address);
        order(nginx.url().trim_start_matches("http://"), headers)
    });
}

/// Orders in a session, and without one, by `ask`, and looks at what each service logged.
fn asks_the_three(ask: impl Fn(&Service, &str) -> String) {
    let (rates, foreign) = foreign_host(2);
    let prices = Service::start(env!("CARGO_BIN_EXE_prices"), &[]);
    let stock = Service::start(
        env!("CARGO_BIN_EXE_stock"),
        &[("PRICES_URL", prices.url()), ("RATES_URL", rates)],
    );
    let shop = Service::start(env!("CARGO_BIN_EXE_shop"), &[("STOCK_URL", stock.url())]);

    let session = format!("{HEADER}: {ID}\r\nX-OpenReplay-SessionToken: {TOKEN}\r\n");
    let with_session = ask(&shop, &session);
    let without = ask(&shop, "");
    for answer in [with_session, without] {
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("teapot: 12.50"),
            "{answer}"
        );
    }

    let heads = foreign.join().unwrap();
    assert_eq!(heads.len(), 2);
    for head in heads {
        assert!(
            !head.to_lowercase().contains("openreplay")
                && !head.contains(ID)
                && !head.contains(TOKEN),
            "{head}"
        );
    }
    for (service, name, event) in [
        (shop, "shop", "ordered"),
        (stock, "stock", "reserved"),
        (prices, "prices", "priced"),
    ] {
        let records = service.records();
        assert_eq!(records.len(), 2, "{name}: {records:?}");
        assert_eq!(
            records[0]["message"],
            format!("[{HEADER}={ID}] {event} item=teapot"),
            "{name}"
        );
        assert_eq!(records[0][HEADER], ID, "{name}");
        assert_eq!(records[0]["service.name"], name);
        assert_eq!(
            records[1]["message"],
            format!("{event} item=teapot"),
            "{name}"
        );
        assert_eq!(records[1].get(HEADER), None, "{name}");
    }
}
