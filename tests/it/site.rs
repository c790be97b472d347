//! A web site on loopback that is not GitHub: it answers each path with exactly
//! the bytes it was told to, and remembers what it was asked.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What the site does with a request.
#[derive(Debug, Clone)]
pub enum Say {
    /// These bytes, with their length and a validator.
    File(Vec<u8>),
    /// Exactly this answer, and the end of the connection.
    Raw(Vec<u8>),
    /// Exactly this, and then nothing more.
    Stall(Vec<u8>),
    /// This head, and a body without an end.
    Endless(String),
}

type Pages = Arc<Mutex<HashMap<String, Say>>>;

/// The site.
#[derive(Clone)]
pub struct Site {
    /// As `http://127.0.0.1:PORT`.
    pub origin: String,
    /// As `127.0.0.1:PORT`.
    pub authority: String,
    pages: Pages,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Site {
    pub async fn start() -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let origin = format!("http://{authority}");
        let site = Site { origin, authority, pages: Arc::default(), heads: Arc::default() };
        let serving = site.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let site = serving.clone();
                tokio::spawn(async move { site.answer(stream).await });
            }
        });
        site
    }

    /// What it says from now on at a path.
    pub fn says(&self, path: &str, say: Say) {
        self.pages.lock().unwrap().insert(path.to_owned(), say);
    }

    /// It has this file at a path.
    pub fn has(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.says(path, Say::File(body.into()));
    }

    /// The heads of all requests, in lower case.
    pub fn asked(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read_exact(&mut byte).await.is_err() {
                return;
            }
            head.push(byte[0]);
        }
        let text = String::from_utf8(head).unwrap();
        let path = text.split(' ').nth(1).unwrap().to_owned();
        let text = text.to_lowercase();
        self.heads.lock().unwrap().push(text.clone());
        let page = self.pages.lock().unwrap().get(&path).cloned();
        // A client that has heard enough goes away.
        match page {
            None => drop(stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await),
            Some(Say::Raw(bytes)) => drop(stream.write_all(&bytes).await),
            Some(Say::Stall(bytes)) => {
                let _ = stream.write_all(&bytes).await;
                std::future::pending::<()>().await;
            }
            Some(Say::Endless(head)) => {
                let _ = stream.write_all(head.as_bytes()).await;
                let more = vec![b' '; 1024 * 1024];
                while stream.write_all(&more).await.is_ok() {}
            }
            Some(Say::File(body)) => {
                let mut tag = String::new();
                for byte in Sha256::digest(&body) {
                    write!(tag, "{byte:02x}").unwrap();
                }
                if text.contains(&format!("if-none-match: \"{tag}\"")) {
                    drop(stream.write_all(b"HTTP/1.1 304 Not Modified\r\n\r\n").await);
                    return;
                }
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nETag: \"{tag}\"\r\n\r\n", body.len());
                let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
            }
        }
    }
}
