//! What `deploy/` has for containers agrees with what the server takes: its flags, ports, paths and
//! times. No engine is needed; the files are read as an engine reads them.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(unix)]

#[path = "common/yaml.rs"]
mod yaml;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("deploy/{name}: {error}"))
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap_or_else(|| panic!("{item} is no text")).to_owned()).collect()
}

/// The settings that the server takes these arguments for.
fn settings(arguments: &[String]) -> String {
    let run = |more: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        command.args(arguments).arg(more).output().expect("the binary runs")
    };
    let checked = run("--check-config");
    assert!(checked.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&checked.stderr));
    String::from_utf8(run("--print-config").stdout).expect("TOML")
}

fn says(settings: &str, line: &str) {
    assert!(settings.lines().any(|said| said == line), "no `{line}` in\n{settings}");
}

/// What follows `flag` in `arguments`.
fn flag<'a>(arguments: &'a [String], flag: &str) -> &'a str {
    let at = arguments.iter().position(|argument| argument == flag).unwrap_or_else(|| panic!("no {flag} in {arguments:?}"));
    &arguments[at + 1]
}

fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

fn seconds(text: &str) -> u64 {
    text.trim_end_matches('s').parse().unwrap_or_else(|_| panic!("`{text}` is no number of seconds"))
}

#[test]
fn the_container_runs_the_server_as_nobody_and_asks_it_whether_it_lives() {
    let file = read("Containerfile").replace("\\\n", " ");
    let lines: Vec<(&str, &str)> =
        file.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.trim().split_once(' ')).collect();
    let last = lines.iter().rposition(|(word, _)| *word == "FROM").expect("a stage");
    let of = |word: &str| lines[last..].iter().rfind(|(said, _)| *said == word).unwrap_or_else(|| panic!("no {word}")).1.trim();
    assert!(of("USER").split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "a number that is not root's");
    let stages: Vec<&str> =
        lines.iter().filter(|(word, _)| *word == "FROM").filter_map(|(_, rest)| Some(rest.split_once(" AS ")?.1)).collect();
    for (_, rest) in lines.iter().filter(|(word, rest)| *word == "COPY" && rest.contains("--from=")) {
        let stage = rest.split_once("--from=").and_then(|(_, rest)| rest.split_once(' ')).expect("a stage").0;
        assert!(stages.contains(&stage), "{rest}");
    }
    let list = |text: &str| texts(&serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")));
    let settings = settings(&list(of("CMD")));
    says(&settings, "bind = \"0.0.0.0\"");
    says(&settings, &format!("port = {}", of("EXPOSE").split(' ').next().expect("a port")));
    says(&settings, &format!("dir = {:?}", of("VOLUME")));
    let program = list(of("ENTRYPOINT")).remove(0);
    assert!(lines[last..].iter().any(|(word, rest)| *word == "COPY" && rest.ends_with(&program)), "{program} is copied");
    for setting in of("ENV").split(' ') {
        let (name, value) = setting.split_once('=').expect("a value");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        let printed = command.env(name, value).arg("--print-config").output().expect("the binary runs");
        assert!(String::from_utf8_lossy(&printed.stdout).contains(value), "{setting} is a setting");
    }
    let (_, check) = of("HEALTHCHECK").split_once("CMD ").expect("a command");
    let check = list(check).pop().expect("a script");
    assert!(check.contains("/healthz") && check.contains(of("EXPOSE").split(' ').nth(1).expect("a port")), "{check}");
    // What the build runs is there.
    for package in ["tickwire-server", "tickwire-web"] {
        assert!(file.contains(&format!("--package {package} ")), "{package}");
    }
}

#[test]
fn the_health_check_of_the_container_tells_who_lives_from_who_does_not() {
    let file = read("Containerfile").replace("\\\n", " ");
    let check = file.lines().find_map(|line| line.split_once("CMD [\"bash\"")).expect("a check").1;
    let check: Vec<String> = serde_json::from_str(&format!("[\"bash\"{check}")).expect("a list");
    for (status, lives) in [("200 OK", true), ("503 Service Unavailable", false)] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let answer = std::thread::spawn(move || {
            use std::io::{BufRead, BufReader, Write};
            let (mut stream, _) = listener.accept().expect("asked");
            let head = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect::<Vec<_>>();
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").expect("answered");
            head
        });
        let script = check[2].replace("8082", &port.to_string());
        let done = Command::new(&check[0]).args(["-c", &script]).output().expect("bash");
        assert_eq!(done.status.success(), lives, "{done:?}");
        assert_eq!(answer.join().expect("answered")[..2], ["GET /healthz HTTP/1.1", "Host: localhost"]);
    }
}

#[test]
fn the_three_servers_of_the_compose_file_are_one_cluster_behind_its_proxy() {
    let file = yaml::read(&read("compose.yaml").replace("${TICKWIRE_SITE:-localhost}", "localhost")).remove(0);
    let caddy = read("compose/Caddyfile");
    let proxy = at(&file, "/services/proxy/networks/inside/ipv4_address").as_str().expect("an address");
    let mut upstreams = Vec::new();
    for name in ["a", "b", "c"] {
        let service = at(&file, &format!("/services/{name}"));
        let arguments = texts(at(service, "/command"));
        let settings = settings(&arguments);
        says(&settings, &format!("node_id = \"{name}\""));
        says(&settings, &format!("advertise = \"https://localhost/n/{name}/\""));
        says(&settings, &format!("trusted = [\"{proxy}\"]"));
        let store = flag(&arguments, "--store").trim_start_matches("redis://").trim_end_matches('/').to_owned();
        assert!(at(&file, &format!("/services/{store}/image")).as_str().is_some_and(|image| image.contains("redis")));
        assert!(seconds(at(service, "/stop_grace_period").as_str().expect("a time")) > seconds(flag(&arguments, "--drain-seconds")));
        assert!(path(at(service, "/build/dockerfile").as_str().expect("a path").trim_start_matches("deploy/")).is_file());
        let upstream = format!("{name}:8080");
        says(&settings, "port = 8080");
        assert!(caddy.contains(&format!("handle_path /n/{name}/* {{\n\t\treverse_proxy {upstream} {{")), "{name} has its path");
        upstreams.push(upstream);
    }
    assert!(caddy.contains(&format!("handle {{\n\t\treverse_proxy {} {{", upstreams.join(" "))), "any of them has the page");
    for mount in texts(at(&file, "/services/proxy/volumes")) {
        let (from, _) = mount.split_once(':').expect("a mount");
        assert!(file.pointer(&format!("/volumes/{from}")).is_some() || path(from).is_file(), "{mount}");
    }
}

/// Everything of these files, by kind and name.
fn manifests() -> Vec<Value> {
    let all: Vec<Value> =
        ["tickwire", "store", "ingress"].iter().flat_map(|name| yaml::read(&read(&format!("kubernetes/{name}.yaml")))).collect();
    for object in &all {
        for field in ["/apiVersion", "/kind", "/metadata/name", "/spec"] {
            at(object, field);
        }
    }
    all
}

fn find<'a>(all: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is_it = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    all.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} {name}"))
}

#[test]
fn the_pods_of_kubernetes_are_one_cluster_and_are_asked_whether_they_live() {
    let all = manifests();
    let set = find(&all, "StatefulSet", "tickwire");
    let pod = at(set, "/spec/template/spec");
    let container = at(pod, "/containers/0");
    let arguments: Vec<String> = texts(at(container, "/args")).iter().map(|argument| argument.replace("$(NODE)", "tickwire-0")).collect();
    let settings = settings(&arguments);
    says(&settings, "node_id = \"tickwire-0\"");
    says(&settings, "advertise = \"https://play.example.com/n/tickwire-0/\"");
    let port = |name: &str| {
        let ports = at(container, "/ports").as_array().expect("a list");
        ports.iter().find(|port| port["name"] == name).unwrap_or_else(|| panic!("no port {name}"))["containerPort"].as_u64()
    };
    says(&settings, &format!("port = {}", port("play").expect("a port")));
    // The second one after the players'.
    assert_eq!(port("ops"), port("play").map(|port| port + 2));
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        let get = at(container, &format!("/{probe}/httpGet"));
        assert_eq!((get["path"].as_str(), get["port"].as_str()), (Some(path), Some("ops")));
        let host = get["httpHeaders"][0]["value"].as_str().expect("a Host");
        assert!(settings.contains(&format!("hosts = [\"{host}\"]")), "the listener answers to {host}");
    }
    let wait: u64 = texts(at(container, "/lifecycle/preStop/exec/command"))[1].parse().expect("seconds");
    let grace = at(pod, "/terminationGracePeriodSeconds").as_u64().expect("seconds");
    assert!(grace > seconds(flag(&arguments, "--drain-seconds")) + wait, "it is not killed while it hands over");
    assert_eq!(at(pod, "/securityContext/runAsNonRoot"), &Value::Bool(true));
    let user = at(pod, "/securityContext/runAsUser").as_u64().expect("a number");
    assert!(read("Containerfile").contains(&format!("USER {user}:")), "the user of the image");

    let labels = at(set, "/spec/template/metadata/labels");
    assert_eq!(at(set, "/spec/selector/matchLabels"), labels);
    assert_eq!(at(find(&all, "PodDisruptionBudget", "tickwire"), "/spec/selector/matchLabels"), labels);
    let headless = find(&all, "Service", set["spec"]["serviceName"].as_str().expect("a name"));
    assert_eq!((&headless["spec"]["clusterIP"], &headless["spec"]["selector"]), (&Value::from("None"), labels));
    let store = flag(&arguments, "--store").trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let store = find(&all, "Service", &store);
    let redis = find(&all, "Deployment", "tickwire-store");
    assert_eq!(at(redis, "/spec/template/metadata/labels"), &store["spec"]["selector"]);
    let guard = find(&all, "NetworkPolicy", "tickwire-store");
    assert_eq!(at(guard, "/spec/ingress/0/from/0/podSelector/matchLabels"), labels, "the servers reach the store");
}

#[test]
fn every_pod_of_kubernetes_has_its_path_and_its_service() {
    let all = manifests();
    let replicas = at(find(&all, "StatefulSet", "tickwire"), "/spec/replicas").as_u64().expect("a number");
    let ways = find(&all, "Ingress", "tickwire-nodes");
    let paths = at(ways, "/spec/rules/0/http/paths").as_array().expect("a list");
    assert_eq!(paths.len() as u64, replicas);
    for (nth, way) in paths.iter().enumerate() {
        let name = format!("tickwire-{nth}");
        assert_eq!(way["path"], format!("/n/{name}/(.*)"));
        assert_eq!(way["backend"]["service"]["name"], name.as_str());
        assert_eq!(find(&all, "Service", &name)["spec"]["selector"]["statefulset.kubernetes.io/pod-name"], name.as_str());
    }
    assert_eq!(ways["metadata"]["annotations"]["nginx.ingress.kubernetes.io/rewrite-target"], "/$1", "its path is taken off");
    let any = at(find(&all, "Ingress", "tickwire"), "/spec/rules/0/http/paths/0/backend/service/name");
    find(&all, "Service", any.as_str().expect("a name"));
}
