//! One session through the three services, each a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use integration_tests::nginx;
use serde_json::Value;

const HEADER: &str = "openReplaySession.id";
const ID: &str = "4950498349085463837";
/// A token of the same session.
const TOKEN: &str = "11m0l7dhxvfh9.0.mkb4q5xs.4YCTxcTaFVmdKVzHfzHrB8mB3nCyP1kZRuwYbtpYtY2u";

const LIMIT: Duration = Duration::from_secs(60);

struct Service {
    process: Child,
    address: String,
    spans: Receiver<String>,
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
        let (sender, spans) = channel();
        // its other output is shown: a pipe that nobody reads would stop it
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                match line.strip_prefix("span ") {
                    Some(span) => drop(sender.send(span.to_owned())),
                    None => eprintln!("{line}"),
                }
            }
        });
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap()
            .to_owned();
        Self {
            process,
            address,
            spans,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the next span that has ended.
    fn span(&self) -> Span {
        Span::read(&self.spans.recv_timeout(LIMIT).unwrap())
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

/// The line of a span.
#[derive(Debug)]
struct Span {
    trace: String,
    id: String,
    parent: String,
}

impl Span {
    fn read(line: &str) -> Self {
        let id = |name: &str| {
            let mut words = line.split(' ');
            let word = words.find_map(|word| word.strip_prefix(name));
            word.expect(line).to_owned()
        };
        assert!(line.starts_with("request "), "{line}");
        Self {
            trace: id("trace.id="),
            id: id("span.id="),
            parent: id("parent.id="),
        }
    }
}

/// A foreign host: responds to the given number of requests, and returns what it received.
fn foreign_host(requests: usize) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = thread::spawn(move || {
        (0..requests)
            .map(|_| {
                let (mut socket, _) = listener.accept().unwrap();
                let head = read_head(&mut socket);
                let response = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n1";
                socket.write_all(response.as_bytes()).unwrap();
                head
            })
            .collect()
    });
    (url, heads)
}

fn read_head(socket: &mut TcpStream) -> String {
    socket.set_read_timeout(Some(LIMIT)).unwrap();
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
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let head =
        format!("POST /order/teapot HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{headers}\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn every_record_of_the_three_has_the_session_and_a_foreign_host_gets_nothing() {
    queries_the_three(|shop, headers| order(&shop.address, headers));
}

#[test]
#[ignore = "needs nginx"]
fn behind_nginx_every_record_of_the_three_has_the_session_and_a_foreign_host_gets_nothing() {
    queries_the_three(|shop, headers| {
        let nginx = nginx::start(&shop.address);
        order(nginx.url().trim_start_matches("http://"), headers)
    });
}

/// Orders in a session, and without one, with `send`, and looks at what each service logged.
fn queries_the_three(send: impl Fn(&Service, &str) -> String) {
    let (rates, foreign) = foreign_host(2);
    let prices = Service::start(env!("CARGO_BIN_EXE_prices"), &[]);
    let stock = Service::start(
        env!("CARGO_BIN_EXE_stock"),
        &[("PRICES_URL", prices.url()), ("RATES_URL", rates)],
    );
    let shop = Service::start(env!("CARGO_BIN_EXE_shop"), &[("STOCK_URL", stock.url())]);

    let session = format!("{HEADER}: {ID}\r\nX-OpenReplay-SessionToken: {TOKEN}\r\n");
    let with_session = send(&shop, &session);
    let spans = [&shop, &stock, &prices].map(Service::span);
    let without = send(&shop, "");
    let other_spans = [&shop, &stock, &prices].map(Service::span);
    for response in [&with_session, &without] {
        assert!(
            response.starts_with("HTTP/1.1 200") && response.ends_with("teapot: 12.50"),
            "{response}"
        );
    }

    let heads = foreign.join().unwrap();
    assert_eq!(heads.len(), 2);
    for head in heads {
        assert!(
            !head.to_lowercase().contains("openreplay")
                && !head.contains("traceparent")
                && !head.contains(ID)
                && !head.contains(TOKEN),
            "{head}"
        );
    }
    is_one_trace(&spans);
    is_one_trace(&other_spans);
    assert_ne!(spans[0].trace, other_spans[0].trace);

    let request = "POST /order/teapot 200 ";
    let reserve = "POST /shop.Stock/Reserve 200 ";
    let price = "GET /price/teapot 200 ";
    let services = [
        (shop, "shop", ["ordered item=teapot", request]),
        (stock, "stock", ["reserved item=teapot", reserve]),
        (prices, "prices", ["priced item=teapot", price]),
    ];
    for ((service, name, messages), span) in services.into_iter().zip(spans) {
        let records = service.records();
        assert_eq!(records.len(), 4, "{name}: {records:?}");
        for (record, message) in records.iter().zip(messages.repeat(2)) {
            assert_eq!(record["service.name"], name);
            let text = record["message"].as_str().unwrap();
            assert!(text.contains(message), "{text}");
        }
        let (own, others) = records.split_at(2);
        for record in own {
            let prefix = format!("[{HEADER}={ID}] ");
            let text = record["message"].as_str().unwrap();
            assert!(text.starts_with(&prefix), "{text}");
            leads_to(record, &span, (name == "shop").then_some(&with_session));
        }
        for record in others {
            assert!(
                !record.to_string().contains("openReplaySession"),
                "{record}"
            );
        }
    }
}

/// Whether each service's span is the parent of the next one's.
fn is_one_trace([shop, stock, prices]: &[Span; 3]) {
    assert_eq!(shop.parent, "0".repeat(16));
    for (span, parent) in [(stock, shop), (prices, stock)] {
        assert_eq!(span.trace, shop.trace);
        assert_eq!(span.parent, parent.id);
    }
}

/// Whether a record leads to its replay, to its span, and to its request, whose id is in the
/// response.
fn leads_to(record: &Value, span: &Span, response: Option<&String>) {
    assert_eq!(record[HEADER], ID);
    let replay = record["openReplaySession.url"].as_str().unwrap();
    // the session's moment follows once the session has started, which its id says
    let (page, _moment) = replay.split_once('?').unwrap_or((replay, ""));
    assert_eq!(
        page,
        format!("https://openreplay.example.com/1234/session/{ID}")
    );

    assert_eq!(record["trace.id"], span.trace);
    assert_eq!(record["span.id"], span.id);

    let id = record["http.request.id"].as_str();
    assert_eq!(id.is_some(), response.is_some());
    if let (Some(id), Some(response)) = (id, response) {
        let header = format!("x-request-id: {id}");
        assert!(response.lines().any(|line| line == header), "{response}");
    }
}
