import { defineConfig, type Plugin } from 'vite';

// The page must not paint before the script has chosen its theme, or a forced
// dark page would flash white; browsers that do not know the attribute ignore it.
const blockFirstPaint: Plugin = {
  name: 'block-first-paint',
  transformIndexHtml: {
    order: 'post',
    handler: (html) =>
      html.replace('<script type="module" crossorigin', '<script type="module" blocking="render"').replace('<link rel="stylesheet" crossorigin', '<link rel="stylesheet"'),
  },
};

export default defineConfig({
  plugins: [blockFirstPaint],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    assetsInlineLimit: 0, // the content security policy allows no inline script or style
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:8080',
      '/ws': { target: 'ws://127.0.0.1:8080', ws: true },
    },
  },
});
