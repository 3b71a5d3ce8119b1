//! Reads HTTP/1.1 responses as they come: what a server of ours sends, and no more.

/// Longest head that is read, bytes.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// The responses of one connection, one after the other.
#[derive(Debug, Default)]
pub struct Responses {
    bytes: Vec<u8>,
    /// How far `bytes` were read.
    read: usize,
    body: Body,
}

/// What is left of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Body {
    /// Its head.
    #[default]
    Head,
    /// So many bytes.
    Sized(usize),
    /// Chunks; the next is to be read from its length on.
    Chunks,
    /// So many bytes of a chunk.
    Chunk(usize),
}

/// A part of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The head, with its status.
    Head(u16),
    /// Some bytes of the body.
    Data(&'a [u8]),
    /// The response is whole.
    End,
}

/// What came is no response that is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no HTTP response that is understood")]
pub struct NoResponse;

impl Responses {
    /// More bytes have come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.read));
        self.bytes.extend_from_slice(bytes);
    }

    /// The next part; `None` until more has come.
    pub fn advance(&mut self) -> Result<Option<Part<'_>>, NoResponse> {
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        match self.body {
            Body::Head => {
                let Some(length) = find(rest, b"\r\n\r\n") else {
                    return if rest.len() > HEAD_BYTES_MAX { Err(NoResponse) } else { Ok(None) };
                };
                let (status, body) = parse_head(rest.get(..length).unwrap_or_default())?;
                self.read += length + 4;
                self.body = body;
                Ok(Some(Part::Head(status)))
            }
            Body::Sized(0) => {
                self.body = Body::Head;
                Ok(Some(Part::End))
            }
            Body::Sized(left) => Ok(self.take(left, Body::Sized)),
            Body::Chunk(left) => Ok(self.take(left, |left| if left == 0 { Body::Chunks } else { Body::Chunk(left) })),
            Body::Chunks => {
                // A chunk's bytes end in a line break, which is the length's as well.
                let skipped = if rest.starts_with(b"\r\n") { 2 } else { 0 };
                let rest = rest.get(skipped..).unwrap_or_default();
                let Some(length) = find(rest, b"\r\n") else { return Ok(None) };
                let digits = rest.get(..length).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or(NoResponse)?;
                let chunk = usize::from_str_radix(digits, 16).map_err(|_| NoResponse)?;
                if chunk > 0 {
                    self.read += skipped + length + 2;
                    self.body = Body::Chunk(chunk);
                    return self.advance();
                }
                if !rest.get(length + 2..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
                    return Ok(None);
                }
                self.read += skipped + length + 4;
                self.body = Body::Head;
                Ok(Some(Part::End))
            }
        }
    }

    fn take(&mut self, left: usize, body: impl FnOnce(usize) -> Body) -> Option<Part<'_>> {
        let start = self.read;
        let count = left.min(self.bytes.len() - start);
        if count == 0 {
            return None;
        }
        self.read += count;
        self.body = body(left - count);
        self.bytes.get(start..start + count).map(Part::Data)
    }
}

fn parse_head(head: &[u8]) -> Result<(u16, Body), NoResponse> {
    let head = std::str::from_utf8(head).map_err(|_| NoResponse)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()).ok_or(NoResponse)?;
    let mut body = Body::Sized(0);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked") {
            body = Body::Chunks;
        } else if name.eq_ignore_ascii_case("content-length") {
            body = Body::Sized(value.trim().parse().map_err(|_| NoResponse)?);
        }
    }
    Ok((status, body))
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n\
        HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";

    fn read(piece: usize) -> Vec<String> {
        let (mut responses, mut told, mut data) = (Responses::default(), Vec::new(), Vec::new());
        for piece in BYTES.chunks(piece) {
            responses.push(piece);
            while let Some(part) = responses.advance().expect("responses") {
                match part {
                    Part::Head(status) => told.push(status.to_string()),
                    Part::Data(bytes) => data.extend_from_slice(bytes),
                    Part::End => told.push(String::from_utf8(std::mem::take(&mut data)).expect("text")),
                }
            }
        }
        told
    }

    #[test]
    fn responses_are_read_however_they_come() {
        for piece in [1, 2, 3, 7, 50, 1_000] {
            assert_eq!(read(piece), ["201", "hello", "204", "", "200", "abc0123456789"], "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_response_is_refused() {
        let mut responses = Responses::default();
        responses.push(b"SSH-2.0-x\r\n\r\n");
        assert_eq!(responses.advance(), Err(NoResponse));
        responses.push(&[b'x'; HEAD_BYTES_MAX + 1]);
        assert_eq!(responses.advance(), Err(NoResponse));
    }
}
