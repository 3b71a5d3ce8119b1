// The parts of PixiJS that the arena uses, in place of all of it: `vite.config.ts` puts this file where `pixi.js` is imported.
// Each part comes from its own file, so that the renderers stay pieces of their own of which a browser loads one, and what
// nothing here needs (events, accessibility, WebGPU) is never loaded.
import '../../../node_modules/pixi.js/lib/app/init.mjs';
import '../../../node_modules/pixi.js/lib/rendering/init.mjs';
import '../../../node_modules/pixi.js/lib/scene/graphics/init.mjs';
import '../../../node_modules/pixi.js/lib/scene/text/init.mjs';

export { Application } from '../../../node_modules/pixi.js/lib/app/Application.mjs';
export { Container } from '../../../node_modules/pixi.js/lib/scene/container/Container.mjs';
export { Graphics } from '../../../node_modules/pixi.js/lib/scene/graphics/shared/Graphics.mjs';
export { Text } from '../../../node_modules/pixi.js/lib/scene/text/Text.mjs';
