// The client of a Tickwire server. It knows no game and no page: a game brings what its tables, inputs and events mean.
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
export { closeKind, type CloseKind, type Retry } from './net/close';
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
export type { ControlRecord, Lobby, Pong, Results, RosterEntry, Welcome } from './replica/control';
export { cell, fieldIndex, rowOf, tableIndex, type Snapshot, type Table, type TableSchema } from './replica/snapshot';
export { loadReplica, MalformedMessage, type Build, type Received, type Replica } from './replica/wasm';
export { Freshness } from './sync/freshness';
export type { Sample } from './sync/interpolation';
export type { BodyFields, PredictedBody } from './sync/prediction';
export { InputRecorder } from './sync/recorder';
export { MatchSession, type Quality, type SessionListener, type SessionOptions } from './sync/session';
