//! A service on this machine that speaks as Bedrock and as OpenAI's endpoints do, over real connections: it keeps what it
//! hears, byte for byte, and answers as a test tells it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Method and path: `POST /model/m/converse-stream`.
    pub line: String,
    /// The header lines.
    pub headers: String,
    pub body: String,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What is sent back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// How long to wait before.
    pub wait: Duration,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Reply {
        let headers = vec![("content-type", "application/json".to_owned())];
        Reply { status, headers, body: body.to_string().into_bytes(), wait: Duration::ZERO }
    }

    /// An error of AWS.
    pub fn error(status: u16, code: &str, message: &str) -> Reply {
        let mut reply = Reply::json(status, &json!({"message": message}));
        reply.headers.push(("x-amzn-errortype", format!("{code}:http://internal.amazon.com/")));
        reply
    }

    /// A whole message of Converse.
    pub fn converse(text: &str) -> Reply {
        Reply::json(
            200,
            &json!({
                "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18},
                "metrics": {"latencyMs": 1},
            }),
        )
    }

    /// A message of ConverseStream: words, then perhaps the input of the tool, in pieces of at most `piece` bytes.
    pub fn stream(words: &str, input: Option<&str>, stop: &str, piece: usize) -> Reply {
        let mut body = frame("messageStart", &json!({"role": "assistant"}));
        for part in pieces(words, piece) {
            body.extend(frame(
                "contentBlockDelta",
                &json!({"contentBlockIndex": 0, "delta": {"text": part}}),
            ));
        }
        if !words.is_empty() {
            body.extend(frame("contentBlockStop", &json!({"contentBlockIndex": 0})));
        }
        if let Some(input) = input {
            let start = json!({"toolUse": {"toolUseId": "call-1", "name": "write_ruleset"}});
            body.extend(frame("contentBlockStart", &json!({"contentBlockIndex": 1, "start": start})));
            for part in pieces(input, piece) {
                let delta = json!({"toolUse": {"input": part}});
                body.extend(frame("contentBlockDelta", &json!({"contentBlockIndex": 1, "delta": delta})));
            }
            body.extend(frame("contentBlockStop", &json!({"contentBlockIndex": 1})));
        }
        body.extend(frame("messageStop", &json!({"stopReason": stop})));
        let usage = json!({"inputTokens": 11, "outputTokens": 7, "totalTokens": 18});
        body.extend(frame("metadata", &json!({"usage": usage, "metrics": {"latencyMs": 1}})));
        let headers = vec![("content-type", "application/vnd.amazon.eventstream".to_owned())];
        Reply { status: 200, headers, body, wait: Duration::ZERO }
    }

    /// The tool used with this input.
    pub fn tool(input: &Value) -> Reply {
        Reply::stream("", Some(&input.to_string()), "tool_use", 50)
    }

    /// A message of OpenAI's `chat/completions`, with words or a call.
    pub fn chat(message: Value) -> Reply {
        Reply::json(
            200,
            &json!({
                "id": "x", "object": "chat.completion", "model": "m",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
            }),
        )
    }

    pub fn after(mut self, wait: Duration) -> Reply {
        self.wait = wait;
        self
    }

    pub fn with_header(mut self, name: &'static str, value: &str) -> Reply {
        self.headers.push((name, value.to_owned()));
        self
    }
}

fn pieces(text: &str, size: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(size.max(1)).map(|chunk| chunk.iter().collect()).collect()
}

/// A message of `application/vnd.amazon.eventstream`: lengths and their checksum, headers, payload, checksum of all.
pub fn frame(event: &str, payload: &Value) -> Vec<u8> {
    typed_frame("event", &[(":event-type", event)], payload)
}

/// An exception in a stream.
pub fn exception(name: &str, message: &str) -> Vec<u8> {
    typed_frame("exception", &[(":exception-type", name)], &json!({"message": message}))
}

fn typed_frame(kind: &str, more: &[(&str, &str)], payload: &Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":message-type", kind), (":content-type", "application/json")].iter().chain(more) {
        headers.push(name.len() as u8);
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = payload.to_string();
    let total = 16 + headers.len() + payload.len();
    let mut message = Vec::new();
    message.extend((total as u32).to_be_bytes());
    message.extend((headers.len() as u32).to_be_bytes());
    message.extend(crc32(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload.as_bytes());
    message.extend(crc32(&message).to_be_bytes());
    message
}

/// CRC-32 as in Ethernet and zip, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// A running service.
pub struct Server {
    /// `http://127.0.0.1:PORT`
    pub address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Server {
    /// Answers request number n, from 0, with `answer(n, request)`, until the tests end.
    pub fn start(answer: impl Fn(usize, &Heard) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&heard), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), kept, answer) = (stream, Arc::clone(&kept), Arc::clone(&answer)) else {
                    break;
                };
                std::thread::spawn(move || serve(stream, &kept, answer.as_ref()));
            }
        });
        Server { address, heard }
    }

    /// Answers with these replies, one after the other; the last again and again.
    pub fn with(replies: Vec<Reply>) -> Server {
        Server::start(move |n, _| replies[n.min(replies.len() - 1)].clone())
    }

    /// What was heard so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, kept: &Mutex<Vec<Heard>>, answer: &dyn Fn(usize, &Heard) -> Reply) {
    let Some(heard) = read(&mut stream) else { return };
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(heard.clone());
        kept.len() - 1
    };
    let reply = answer(number, &heard);
    std::thread::sleep(reply.wait);
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", reply.body.len()));
    // Who has heard enough goes away early.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply.body));
}

fn read(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 65_536];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let lower = headers.to_lowercase();
    let length =
        lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => body.extend_from_slice(&buffer[..count]),
        }
    }
    let line = line.trim_end_matches(" HTTP/1.1").to_owned();
    Some(Heard { line, headers: headers.to_owned(), body: String::from_utf8(body).unwrap() })
}
