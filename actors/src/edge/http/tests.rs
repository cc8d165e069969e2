use super::*;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Feeds a dialogue: `>` lines from the client, `<` lines from the app, and returns what is known at its end.
fn after(dialogue: &[(char, &[u8])]) -> Exchanges {
    let mut exchanges = Exchanges::default();
    for (from, bytes) in dialogue {
        match from {
            '>' => exchanges.requested(bytes),
            _ => exchanges.responded(bytes),
        }
    }
    exchanges
}

#[test]
fn a_connection_is_between_requests_before_the_first_and_after_each_response() {
    assert!(after(&[]).is_between() && after(&[]).is_fresh());
    assert!(!after(&[('>', GET)]).is_between());
    assert!(!after(&[('>', GET), ('<', &OK[..30])]).is_between());
    let exchanges = after(&[('>', GET), ('<', OK)]);
    assert!(exchanges.is_between() && !exchanges.is_fresh());
    assert!(!after(&[('>', GET), ('<', OK), ('>', b"GE")]).is_between());
}

#[test]
fn it_does_not_matter_how_the_bytes_are_cut() {
    let request: &[u8] = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\nT: x\r\n\r\n";
    let response: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n";
    for size in 1..request.len() {
        let mut exchanges = Exchanges::default();
        for _ in 0..3 {
            for piece in request.chunks(size) {
                assert!(!exchanges.is_opaque());
                exchanges.requested(piece);
                assert!(!exchanges.is_between());
            }
            for (index, piece) in response.chunks(size).enumerate() {
                exchanges.responded(piece);
                let is_complete = (index + 1) * size >= response.len();
                assert_eq!(
                    exchanges.is_between(),
                    is_complete,
                    "pieces of {size}, the one at {index}"
                );
            }
        }
    }
}

#[test]
fn requests_that_do_not_wait_for_responses_are_counted() {
    let three = [GET, GET, GET].concat();
    assert!(!after(&[('>', &three), ('<', OK), ('<', OK)]).is_between());
    assert!(after(&[('>', &three), ('<', OK), ('<', OK), ('<', OK)]).is_between());
    let many = GET.repeat(MAX_WAITING + 1);
    assert!(after(&[('>', &many)]).is_opaque());
}

#[test]
fn some_responses_have_no_body_whatever_their_head_says() {
    let head_only: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    assert!(after(&[('>', b"HEAD / HTTP/1.1\r\n\r\n"), ('<', head_only)]).is_between());
    assert!(!after(&[('>', GET), ('<', head_only)]).is_between());
    for status in ["204 No Content", "304 Not Modified"] {
        let response = format!("HTTP/1.1 {status}\r\n\r\n");
        assert!(
            after(&[('>', GET), ('<', response.as_bytes())]).is_between(),
            "{status}"
        );
    }
}

#[test]
fn what_ends_with_the_connection_is_never_between() {
    let until_close: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nall of it";
    let closing: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n";
    let old: &[u8] = b"GET / HTTP/1.0\r\n\r\n";
    let kept: &[u8] = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    for dialogue in [
        [('>', GET), ('<', until_close)],
        [('>', GET), ('<', closing)],
        [('>', old), ('<', OK)],
    ] {
        let exchanges = after(&dialogue);
        assert!(!exchanges.is_between() && !exchanges.is_opaque());
    }
    assert!(after(&[('>', kept), ('<', OK)]).is_between());
}

#[test]
fn what_is_no_http_or_stops_to_be_is_opaque_for_good() {
    let upgrade: &[u8] = b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let switched: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
    let dialogues: [&[(char, &[u8])]; 8] = [
        &[('>', b"\x16\x03\x01\x02\x00\x01")],
        &[('>', b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
        &[('>', b"CONNECT a:443 HTTP/1.1\r\n\r\n")],
        &[('>', upgrade), ('<', switched)],
        &[('<', b"220 mail ready\r\n")],
        &[('>', GET), ('<', b"-ERR what\r\n")],
        &[('>', b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab"), ('<', OK)],
        &[(
            '>',
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        )],
    ];
    for dialogue in dialogues {
        let mut exchanges = after(dialogue);
        assert!(exchanges.is_opaque(), "{dialogue:?}");
        exchanges.requested(GET);
        exchanges.responded(OK);
        assert!(exchanges.is_opaque() && !exchanges.is_between());
    }
}

#[test]
fn a_head_without_an_end_is_not_kept() {
    let mut exchanges = Exchanges::default();
    exchanges.requested(b"GET / HTTP/1.1\r\n");
    let mut num_bytes = 0;
    while !exchanges.is_opaque() {
        exchanges.requested(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
        num_bytes += 100;
        assert!(num_bytes < 2 * MAX_HEAD_BYTES);
    }
    assert!(exchanges.requests.head.is_empty());
}
