// The page's few pictograms, drawn here so that they look the same with every font.

const SVG = 'http://www.w3.org/2000/svg';

/** Paths on a 24 by 24 grid; stroked, or filled where the name ends so. */
const ICONS = {
  menu: ['M4 7h16', 'M4 12h16', 'M4 17h16'],
  scores: ['M5 20v-7', 'M12 20V4', 'M19 20v-11'],
  invite: [
    'M10 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8',
    'M3 21c0-4 3-7 7-7 1.6 0 3 .5 4.200 1.300',
    'M18 14v7',
    'M14.500 17.500h7',
  ],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  check: ['M5 12.500l4.500 4.500L19 7.500'],
  crownFilled: ['M3 7l4.500 4L12 4l4.500 7L21 7l-2 11H5z'],
} as const;

export type IconName = keyof typeof ICONS;

/** Hidden from screen readers: the words beside it, or its button's label, say the same. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', name.endsWith('Filled') ? 'icon filled' : 'icon');
  svg.setAttribute('aria-hidden', 'true');
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}
