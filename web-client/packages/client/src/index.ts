// The client of a Tickwire server. It knows no game and no page: a game brings its bindings, which the server's code
// writes.
export {
  Api,
  ApiError,
  type Account,
  type GameInfo,
  type Join,
  type MatchSettings,
  type MatchSummary,
} from './net/api';
export { Backoff } from './net/backoff';
export { retryOf, type EndReason } from './net/close';
export type { ConnectionState, Credential, SocketLike, Trouble } from './net/connection';
export { Paths, type Path } from './net/path';
export { Route, type RouteLike } from './net/route';
export type { Lobby, Results, RosterEntry, Welcome } from './replica/control';
export type { GameBindings } from './replica/game';
export { INPUT_LEAD_TICKS_MAX, MATCH_ID_BYTES, PHASES, type Phase } from './replica/generated';
export { layoutOf, type Layout, type TableFields } from './replica/layout';
export { cell, type Snapshot, type Table, type TableSchema } from './replica/snapshot';
export { loadReplica, type Answers, type Build, type Replica } from './replica/wasm';
export { Freshness } from './sync/freshness';
export type { Sample } from './sync/interpolation';
export type { PredictedBody } from './sync/prediction';
export { InputRecorder } from './sync/recorder';
export { MatchSession, type Quality } from './sync/session';
