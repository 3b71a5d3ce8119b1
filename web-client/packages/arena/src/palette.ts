// Colours of the drawn world; the page's are in the shell's src/styles/base.css. Own things have the accent, everyone else a tone of
// their own that does not compete with it.

export const COLORS = {
  void: 0x07090d,
  floor: 0x10151f,
  grid: 0x182030,
  border: 0x3a4761,
  wall: 0x2a3448,
  wallEdge: 0x4b5a78,
  accent: 0x3ddbb4,
  text: 0xe8ecf4,
  muted: 0x93a0b8,
  danger: 0xff6b6b,
  health: 0x63d471,
  overcharge: 0xffc857,
  shield: 0xbfe6ff,
  barBack: 0x05070b,
} as const;

/** As many as a match of the usual mode has seats; in larger ones they repeat. */
const OTHERS = [
  0xf28482, 0x8ab4f8, 0xf6bd60, 0xc39bd3, 0x84c5f4, 0xf5a7c4, 0xb8c480, 0xe59866, 0xe8dfa0, 0x7c8cf0, 0xd05f7e,
  0xa87d5c, 0xb5bfd0, 0xe07be0, 0xd9b8ff, 0x9a9a5a,
];

/** A player's colour, the same on every screen for as long as the match lasts. */
export function playerColor(player: number, own: boolean): number {
  return own ? COLORS.accent : (OTHERS[player % OTHERS.length] ?? COLORS.muted);
}

/** The same for the page's styles. Each colour of the palette is written once, not for every frame. */
export function cssColor(color: number): string {
  const known = CSS_COLORS.get(color);
  if (known !== undefined) return known;
  const css = `#${color.toString(16).padStart(6, '0')}`;
  CSS_COLORS.set(color, css);
  return css;
}

/** As many as the palette has. */
const CSS_COLORS = new Map<number, string>();
