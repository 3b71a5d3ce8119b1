// For `npm run paint`: the browser of the tests, with a measurement in place of them.
import { defineConfig } from '@playwright/test';
import tests from '../playwright.config';

export default defineConfig({ ...tests, testDir: '.', testMatch: 'paint.ts', outputDir: '../test-results' });
