// The client of a Tickwire server. It knows no game and no page: a game brings its bindings, which the server's code
// writes.
export type { Body, GameBindings } from './replica/game';
export {
  Api,
  ApiError,
  serverBase,
  type Account,
  type GameInfo,
  type GuestSession,
  type Join,
  type MatchSettings,
  type MatchSummary,
} from './net/api';
export { Backoff, type BackoffOptions } from './net/backoff';
export { retryOf, UNREADABLE, type EndReason } from './net/close';
export {
  Connection,
  type ConnectionOptions,
  type ConnectionState,
  type Credential,
  type SocketLike,
  type Trouble,
} from './net/connection';
export { Paths, type HttpSocketLike, type Path, type PathMemory, type PathsOptions } from './net/path';
export { Route, type RouteLike, type RouteOptions } from './net/route';
export {
  INPUT_LEAD_TICKS_MAX,
  MATCH_ID_BYTES,
  PHASES,
  PROTOCOL_VERSION,
  type CloseReason,
  type Phase,
  type Retry,
} from './replica/generated';
export { layoutOf, type Layout, type TableFields, type TableLayout } from './replica/layout';
export type { ControlRecord, Lobby, Pong, Results, RosterEntry, Welcome } from './replica/control';
export { cell, type Snapshot, type Table, type TableSchema } from './replica/snapshot';
export { loadReplica, MalformedMessage, type Answers, type Build, type Received, type Replica } from './replica/wasm';
export { Freshness } from './sync/freshness';
export type { Sample } from './sync/interpolation';
export type { PredictedBody } from './sync/prediction';
export { InputRecorder } from './sync/recorder';
export { MatchSession, type Quality, type SessionListener, type SessionOptions } from './sync/session';
