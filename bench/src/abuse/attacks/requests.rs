//! Requests: floods, names of routes, lies about who asks and from where.

use crate::attack::{Attack, Field};
use crate::wire::Request;

/// These.
pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "sessions", what: "one address opens sessions without end", run: |field| Box::pin(sessions(field)) },
    Attack { name: "paths", what: "every odd spelling of a path, admin's included", run: |field| Box::pin(paths(field)) },
    Attack { name: "bodies", what: "bodies that are too deep, too long, no JSON", run: |field| Box::pin(bodies(field)) },
    Attack { name: "page", what: "the page's largest files, read by 200 at once", run: |field| Box::pin(page(field)) },
    Attack { name: "spoofed-address", what: "forwarding headers that name others", run: |field| Box::pin(spoofed(field)) },
    Attack { name: "foreign-origin", what: "API calls and WebSockets in the name of other sites", run: |field| Box::pin(foreign(field)) },
    Attack { name: "forged-tokens", what: "bearer tokens that are nobody's, JWTs among them", run: |field| Box::pin(forged(field)) },
];

async fn sessions(field: Field) {
    field
        .repeat(32, |field, _| async move {
            let status = field.ask(0, Request::post("/api/session", "", r#"{"name":"Mallory"}"#)).await;
            field.tally.answered(status);
        })
        .await;
}

async fn paths(field: Field) {
    const PATHS: [&str; 24] = [
        "/%61dmin/",
        "/admin/",
        "//admin/",
        "/./admin/",
        "/x/../admin/",
        "/admin;/",
        "/ADMIN/",
        "/%2561dmin/",
        "/admin%2f",
        "/admin/index.html",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/\\..\\..\\etc",
        "/%00",
        "/a%00b",
        "/%ff%fe",
        "/%",
        "/%zz",
        "/api/%2e%2e/admin",
        "/api/matches/%00/join",
        "/ws/../admin/",
        "/metrics",
        "/readyz",
        "/assets/%2e%2e/index.html",
    ];
    field
        .repeat(8, |field, nth| async move {
            for path in PATHS {
                let request = Request { method: ["GET", "POST", "PUT", "OPTIONS"][nth % 4], path, headers: "", body: None };
                field.tally.sent(path.len());
                match field.play.ask(field.source(nth), &request).await {
                    Ok(answer) => {
                        field.tally.ended(answer.status.to_string());
                        if answer.status >= 500 && answer.status != 503 {
                            field.tally.breach(format!("{} for {path}", answer.status));
                        }
                        if answer.body.contains("tickwire-admin")
                            || answer.body.contains("root:x:")
                            || answer.body.contains("tickwire_ticks")
                        {
                            field.tally.breach(format!("{path} leads where it must not"));
                        }
                    }
                    Err(_) => field.tally.ended("no answer"),
                }
            }
        })
        .await;
}

async fn bodies(field: Field) {
    field
        .repeat(16, |field, nth| async move {
            let deep = "[".repeat(3_000);
            let long = format!(r#"{{"name":"{}"}}"#, "a".repeat(100_000));
            let twice = r#"{"name":"a","name":"b"}"#;
            for body in [deep.as_str(), long.as_str(), twice, "{", "null", r#"{"name":1e999}"#, r#"{"name":"\ud800"}"#, ""] {
                let status = field.ask(nth, Request::post("/api/session", "", body)).await;
                field.tally.answered(status);
            }
        })
        .await;
}

async fn page(field: Field) {
    field
        .repeat(200, |field, nth| async move {
            let status = field.ask(nth % 16, Request::get("/")).await;
            field.tally.answered(status);
        })
        .await;
}

async fn spoofed(field: Field) {
    field
        .repeat(16, |field, nth| async move {
            // One address that claims to be another each time: its budget must be one address's.
            let liar = format!("203.0.{}.{}", nth % 250, field.tally.total().0 % 250);
            let headers = format!("X-Forwarded-For: {liar}\r\nForwarded: for={liar}\r\nX-Real-IP: {liar}\r\n");
            let status = field.ask(0, Request::post("/api/session", &headers, r#"{"name":"Liar"}"#)).await;
            if status.as_ref().is_ok_and(|status| *status == 201) && field.tally.endings().get("201").is_some_and(|opened| *opened > 5_000)
            {
                field.tally.breach("an address that lies about itself has no limit");
            }
            field.tally.answered(status);
        })
        .await;
}

async fn foreign(field: Field) {
    field
        .repeat(16, |field, nth| async move {
            let origin = ["https://evil.example", "null", "http://127.0.0.1", "http://localhost.evil.example"][nth % 4];
            let headers = format!("Origin: {origin}\r\n");
            let status = field.ask(nth, Request::post("/api/session", &headers, r#"{"name":"Mallory"}"#)).await;
            field.tally.answered(status);
            field.tally.sent(200);
            let upgraded = field.play.upgrade(field.source(nth), "/ws", Some(origin)).await.map(|(status, _)| status);
            if matches!(upgraded, Ok(101)) {
                field.tally.breach(format!("a page of {origin} has got a WebSocket"));
            }
            field.tally.answered(upgraded);
        })
        .await;
}

async fn forged(field: Field) {
    const TOKENS: [&str; 5] = [
        // {"alg":"none"} . {"sub":"admin","exp":99999999999}
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsImV4cCI6OTk5OTk5OTk5OTl9.",
        // {"alg":"HS256"} . the same . a signature of somebody else
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiIsImV4cCI6OTk5OTk5OTk5OTl9.c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2ln",
        // {"alg":"EdDSA","jwk":{}} . {"exp":"99999999999"} . zeros
        "eyJhbGciOiJFZERTQSIsImp3ayI6e319.eyJleHAiOiI5OTk5OTk5OTk5OSJ9.AAAA",
        "00000000000000000000000000000000",
        "not.a.token.at.all",
    ];
    field
        .repeat(32, |field, nth| async move {
            for token in TOKENS {
                let bearer = format!("Authorization: Bearer {token}\r\n");
                let status = field.ask(nth % 8, Request::post("/api/quick-play", &bearer, r#"{"mode":"ffa"}"#)).await;
                if status.as_ref().is_ok_and(|status| *status == 200) {
                    field.tally.breach(format!("{token} has got a seat"));
                }
                field.tally.answered(status);
            }
        })
        .await;
}
