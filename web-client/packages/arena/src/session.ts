// A match of the arena, as the client plays it.
import type { MatchSession } from '@tickwire/client';
import type { GameEvent, Input } from './generated';

export type ArenaSession = MatchSession<Input, GameEvent>;
