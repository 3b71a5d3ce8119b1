//! What the client knows of the protocol, as a TypeScript module: limits, phases, and why a session ends.

use tickwire_protocol::limits;
use tickwire_protocol::messages::{CloseReason, Pong, Retry};
use tickwire_protocol::schema::Phase;

use super::{line, list};

/// Numbers of the wire that the client goes by, each with what it is.
const LIMITS: &[(&str, &str, u64)] = &[
    ("SERVER_MESSAGE_BYTES_MAX", "Longest message of the server, bytes.", limits::SERVER_MESSAGE_BYTES_MAX as u64),
    ("INPUT_LEAD_TICKS_MAX", "Furthest ahead of the server an input may be meant for, ticks.", limits::INPUT_LEAD_MAX as u64),
    ("TICK_PARTS", "Parts of a tick in which a pong counts.", Pong::TICK_PARTS as u64),
    ("BATCH_MESSAGES_MAX", "Over HTTP: most messages in a request.", limits::BATCH_MESSAGES_MAX as u64),
    ("BATCH_BYTES_MAX", "Over HTTP: longest request, bytes.", limits::BATCH_BYTES_MAX as u64),
    ("MATCH_ID_BYTES", "Bytes of a match's id; two hex digits each.", size_of::<tickwire_protocol::MatchId>() as u64),
];

/// The module.
pub fn protocol_typescript() -> String {
    let mut out = "// What the client knows of the protocol. Generated: `cargo xtask bindings` writes it.\n\n".to_owned();
    for (name, what, value) in LIMITS {
        line(&mut out, &format!("/** {what} */\nexport const {name} = {value};"));
    }
    let phases = [Phase::Waiting, Phase::Countdown, Phase::Live, Phase::Finished];
    list(&mut out, "Where a match is in its life, by number.", "PHASES", phases.into_iter().map(Phase::name));
    line(&mut out, "export type Phase = (typeof PHASES)[number];");
    line(&mut out, "\n/** Why the server ends a session, and what helps: see `Retry`. */\nexport const CLOSE_REASONS = {");
    for reason in CloseReason::ALL {
        line(&mut out, &format!("  {}: '{}',", reason.name(), retry(reason.retry())));
    }
    line(&mut out, "} as const;\nexport type CloseReason = keyof typeof CLOSE_REASONS;");
    line(&mut out, "\n/** Resume the seat, ask for a new one, load a newer page first, or nothing. */");
    line(&mut out, "export type Retry = 'resume' | 'rejoin' | 'reload' | 'none';");
    out
}

const fn retry(retry: Retry) -> &'static str {
    match retry {
        Retry::Resume => "resume",
        Retry::Rejoin => "rejoin",
        Retry::Reload => "reload",
        Retry::No => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_told_by_their_numbers() {
        let told = protocol_typescript();
        let phases: Vec<String> = (0..4).map(|number| format!("'{}'", Phase::from(number).name())).collect();
        assert!(told.contains(&format!("export const PHASES = [{}] as const;", phases.join(", "))), "{told}");
    }

    #[test]
    fn every_reason_is_told_with_what_helps() {
        let told = protocol_typescript();
        for reason in CloseReason::ALL {
            assert!(told.contains(&format!("  {}: '{}',", reason.name(), retry(reason.retry()))), "{}", reason.name());
        }
    }
}
