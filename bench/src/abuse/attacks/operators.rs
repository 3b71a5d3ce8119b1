//! The operators' and the monitoring system's listeners.

use std::time::Duration;

use crate::attack::{Attack, Field};
use crate::wire::{Request, source};

/// These.
pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "admin-guesses",
        what: "wrong operator's tokens from the operator's own address",
        run: |field| Box::pin(guesses(field)),
    },
    Attack { name: "admin-origin", what: "wrong operator's tokens by pages of other sites", run: |field| Box::pin(foreign(field)) },
    Attack { name: "admin-silent", what: "silent connections to the operators' listener", run: |field| Box::pin(silent(field)) },
    Attack {
        name: "rebinding",
        what: "other names than its own asked of the operators' and metrics listeners",
        run: |field| Box::pin(rebinding(field)),
    },
    Attack { name: "scrapes", what: "metrics asked for by 32 at once", run: |field| Box::pin(scrapes(field)) },
];

/// Where the operator calls from: the attackers' own address, the worst there is.
const OPERATOR: usize = 0;
/// What the operator looks at.
const MATCHES: &str = "/admin/api/matches";

async fn guesses(field: Field) {
    attack_operator(field, "").await;
}

async fn foreign(field: Field) {
    attack_operator(field, "Origin: https://evil.example\r\n").await;
}

/// Guesses; meanwhile the operator must get in.
async fn attack_operator(field: Field, origin: &'static str) {
    let operator = tokio::spawn(let_operator_in(field.clone()));
    field
        .repeat(16, move |field, _| async move {
            let headers = format!("Authorization: Bearer wrong-wrong-wrong-wrong\r\n{origin}");
            field.tally.sent(headers.len());
            let request = Request { method: "GET", path: MATCHES, headers: &headers, body: None };
            let status = field.admin.ask(field.source(OPERATOR), &request).await.map(|answer| answer.status);
            if matches!(status, Ok(200)) {
                field.tally.breach("a wrong token is taken");
            }
            field.tally.answered(status);
        })
        .await;
    operator.abort();
}

async fn let_operator_in(field: Field) {
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let headers = format!("Authorization: Bearer {}\r\n", field.admin_token);
        let request = Request { method: "GET", path: MATCHES, headers: &headers, body: None };
        match field.admin.ask(field.source(OPERATOR), &request).await {
            Ok(answer) if answer.status == 200 => field.tally.ended("operator in"),
            Ok(answer) => field.tally.breach(format!("the operator is refused with {}", answer.status)),
            Err(error) => field.tally.breach(format!("the operator is not answered: {error:#}")),
        }
    }
}

async fn silent(field: Field) {
    let operator = tokio::spawn(let_operator_in(field.clone()));
    field
        .repeat(16, |field, nth| async move {
            let mut kept = Vec::new();
            for _ in 0..100 {
                match field.admin.tcp(field.source(nth)).await {
                    Ok(stream) => kept.push(stream),
                    Err(error) => field.tally.ended(error.kind().to_string()),
                }
                field.tally.sent(0);
            }
            field.tally.ended("given up");
        })
        .await;
    operator.abort();
}

async fn rebinding(field: Field) {
    field
        .repeat(4, |field, nth| async move {
            for host in ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "metadata", ""] {
                for target in [&field.admin, &field.ops] {
                    let Ok(mut stream) = target.connect(source(field.net, nth)).await else { continue };
                    field.tally.sent(host.len());
                    let path = if target.address == field.ops.address { "/metrics" } else { "/admin/" };
                    let answer = Request::get(path).exchange(&mut stream, host).await.map(|answer| answer.status);
                    if matches!(answer, Ok(200)) {
                        field.tally.breach(format!("{path} answers to the name `{host}`"));
                    }
                    field.tally.answered(answer);
                }
            }
        })
        .await;
}

async fn scrapes(field: Field) {
    field
        .repeat(32, |field, nth| async move {
            field.tally.sent(20);
            let status = field.ops.ask(field.source(nth), &Request::get("/metrics")).await.map(|answer| answer.status);
            field.tally.answered(status);
        })
        .await;
}
