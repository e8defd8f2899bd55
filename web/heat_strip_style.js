// The looks of a `<heat-strip>`, as a constructed style sheet, so that a page that forbids inline styles may show it.
// A page overrides the `--heat-strip-…` properties and the parts; the rest is the strip's own.

export const style = new CSSStyleSheet();
style.replaceSync(`
:host {
  display: block; position: relative; height: 180px; min-width: 0; contain: layout;
  /* Cold to hot, each step further from the page's own colour than the one before, by day and by night. */
  --strip-heat-0: var(--heat-strip-0, light-dark(#f8d9a8, #4c1d5f));
  --strip-heat-1: var(--heat-strip-1, light-dark(#f5a54a, #93266a));
  --strip-heat-2: var(--heat-strip-2, light-dark(#e35c2f, #d6453f));
  --strip-heat-3: var(--heat-strip-3, light-dark(#b3214f, #f58a1f));
  --strip-heat-4: var(--heat-strip-4, light-dark(#5f1468, #fbd75a));
  --strip-replay: var(--heat-strip-replay, light-dark(#0b756d, #35c9bb));
  --strip-text: var(--heat-strip-text, light-dark(#221b16, #f3ece4));
  --strip-quiet: var(--heat-strip-quiet, light-dark(#6b5f54, #a89a8d));
  --strip-line: var(--heat-strip-line, light-dark(#e3d9cc, #3a322c));
  --strip-surface: var(--heat-strip-surface, light-dark(#ffffff, #26201c));
  color: var(--strip-text);
  font: var(--heat-strip-font, 12px/1.4 system-ui, sans-serif);
  font-variant-numeric: tabular-nums;
}
:host([hidden]), [hidden] { display: none !important; }
.chart { height: 100%; cursor: pointer; touch-action: pan-y; border-radius: 3px; }
.chart:focus-visible { outline: 2px solid var(--strip-text); outline-offset: 3px; }
svg { display: block; overflow: visible; }
.bar.dense { shape-rendering: crispEdges; }
.lane, .grid { stroke: none; fill: var(--strip-line); }
.lane { opacity: 0.6; }
.grid { stroke: var(--strip-line); stroke-dasharray: 2 4; }
.reached { fill: none; stroke: var(--strip-quiet); stroke-width: 1.25; }
.replay, path.most { fill: var(--strip-replay); }
.replay { shape-rendering: crispEdges; }
text { font: inherit; }
text.most { fill: var(--strip-replay); font-weight: 600; }
.tick { stroke: var(--strip-quiet); opacity: 0.6; }
.time { fill: var(--strip-quiet); }
.pointer { fill: var(--strip-text); opacity: 0.25; }
.playhead { fill: var(--strip-text); }
.tooltip {
  position: absolute; z-index: 1; top: 0; left: 0; width: max-content; max-width: 100%; box-sizing: border-box;
  display: grid; grid-template-columns: auto auto; gap: 1px 14px; margin: 0; padding: 8px 12px; pointer-events: none;
  color: var(--strip-text); background: var(--strip-surface); border: 1px solid var(--strip-line); border-radius: 8px;
  box-shadow: 0 4px 16px rgb(0 0 0 / 0.16);
}
.tooltip dt { color: var(--strip-quiet); }
.tooltip dd { margin: 0; text-align: right; font-weight: 600; }
.message {
  position: absolute; inset: 0; margin: 0; padding: 8px; box-sizing: border-box; overflow: auto;
  display: grid; place-content: center; justify-items: center; gap: 8px; text-align: center; color: var(--strip-quiet);
  border: 1px dashed var(--strip-line); border-radius: 8px; overflow-wrap: anywhere;
}
.message.loading { border: 0; background: var(--strip-line); opacity: 0.5; animation: breathe 1.6s ease-in-out infinite; }
@keyframes breathe { 50% { opacity: 0.25; } }
button {
  font: inherit; font-weight: 600; color: var(--strip-text); background: var(--strip-surface); padding: 4px 12px;
  border: 1px solid var(--strip-quiet); border-radius: 6px; cursor: pointer;
}
button:focus-visible { outline: 2px solid var(--strip-text); outline-offset: 2px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: reduce) { .message.loading { animation: none; } }
`);
