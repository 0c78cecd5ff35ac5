import { createHash } from "node:crypto";

/** The one stylesheet of the pages. Text on its ground has a contrast of at least 4.5:1 (WCAG 2.2, AA) in both schemes. */
export const stylesheet = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --panel: #ffffff; --sunk: #f1f3f5; --line: #dcdfe4; --line-strong: #7f8791;
  --text: #1b1f24; --muted: #5a626d; --accent: #0b6360; --accent-text: #ffffff; --focus: #0b6360;
  --ok: #17552f; --ok-ground: #def2e4; --warn: #6a4a00; --warn-ground: #fcf0cb; --info: #26477c; --info-ground: #e3ecf9;
  --bad: #8f1a2c; --bad-ground: #fbe6e8; --high: #852c08; --high-ground: #fde7da; --none: #4a515a; --none-ground: #e9ecef;
  --unknown: #4c3b7a; --unknown-ground: #ece8f8; --critical: #ffffff; --critical-ground: #9b1c2e;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif;
  --mono: ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1114; --panel: #161a1f; --sunk: #1c2127; --line: #2a3038; --line-strong: #6d7783;
    --text: #e6e9ed; --muted: #9aa4b0; --accent: #63d0c2; --accent-text: #07201d; --focus: #63d0c2;
    --ok: #8edcaa; --ok-ground: #143021; --warn: #efce69; --warn-ground: #35300f; --info: #a8c6f6; --info-ground: #1a2943;
    --bad: #ffa3ad; --bad-ground: #3f151c; --high: #ffb390; --high-ground: #3e2114; --none: #b5bec8; --none-ground: #262c33;
    --unknown: #cabaf6; --unknown-ground: #2a2441; --critical: #ffffff; --critical-ground: #b0253b;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { font: 14px/1.5 var(--sans); background: var(--ground); color: var(--text); scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; }
a { color: var(--accent); text-underline-offset: .15em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 2px; }
code, pre, .id { font-family: var(--mono); font-size: .92em; }
h1, h2, h3, h4 { line-height: 1.25; font-weight: 600; margin: 0; text-wrap: balance; }
h1 { font-size: 1.5rem; letter-spacing: -.01em; }
h2 { font-size: 1.07rem; }
h3 { font-size: 1rem; }
p { margin: .5rem 0; max-width: 70ch; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; z-index: 1; background: var(--panel); padding: .5rem .75rem; }
.muted { color: var(--muted); }
.small { font-size: .93em; }
.nowrap { white-space: nowrap; }
.number { font-variant-numeric: tabular-nums; }

.top { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.5rem; padding: .6rem 1.25rem; background: var(--panel); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: .55rem; font-weight: 650; color: var(--text); text-decoration: none; letter-spacing: .01em; }
.brand::before { content: ""; width: .95rem; height: .95rem; border: 2px solid var(--accent); border-radius: 2px; box-shadow: inset 0 0 0 2px var(--panel), inset 0 0 0 1rem var(--accent); }
.top nav ul { display: flex; flex-wrap: wrap; gap: .1rem; list-style: none; margin: 0; padding: 0; }
.top nav a { display: block; padding: .3rem .6rem; color: var(--muted); text-decoration: none; border-radius: 4px; }
.top nav a:hover { color: var(--text); background: var(--sunk); }
.top nav a[aria-current] { color: var(--text); background: var(--sunk); font-weight: 550; }
.who { margin-left: auto; display: flex; align-items: center; gap: .75rem; color: var(--muted); }
.who strong { color: var(--text); font-weight: 550; }
main { flex: 1; width: 100%; max-width: 80rem; margin: 0 auto; padding: 1.25rem; }
.foot { color: var(--muted); padding: 1rem 1.25rem; border-top: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; justify-content: space-between; font-size: .93em; }
.title { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .9rem; margin-bottom: 1rem; }
.title p { margin: 0; }

.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; margin: 0 0 1rem; min-width: 0; }
.panel > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .75rem; padding: .7rem 1rem; border-bottom: 1px solid var(--line); }
.panel > header p { margin: 0; }
.panel > .inside { padding: .8rem 1rem; }
.panel > .inside > :first-child { margin-top: 0; }
.panel > .inside > :last-child { margin-bottom: 0; }
.columns { display: grid; gap: 0 1rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 62rem) { .columns { grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); align-items: start; } }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.25rem; margin: 0; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }

table { width: 100%; border-collapse: collapse; }
caption { text-align: left; color: var(--muted); padding: .5rem 1rem; }
.hidden-caption caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; padding: 0; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th:first-child, td:first-child { padding-left: 1rem; }
th:last-child, td:last-child { padding-right: 1rem; }
thead th { font-weight: 500; color: var(--muted); font-size: .93em; white-space: nowrap; }
tbody th { font-weight: 500; }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:hover { background: var(--sunk); }
@media (max-width: 54rem) {
  .stack, .stack tbody, .stack tr, .stack th, .stack td { display: block; }
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stack tr { border-bottom: 1px solid var(--line); padding: .5rem 1rem; }
  .stack tr:last-child { border-bottom: 0; }
  .stack th, .stack td, .stack th:first-child, .stack td:first-child { border: 0; padding: .12rem 0; }
  .stack td[data-label] { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .75rem; }
  .stack td[data-label]::before { content: attr(data-label); color: var(--muted); }
  .stack td > div:empty::before { content: "-"; color: var(--muted); }
  .chip { white-space: normal; }
}

.log { list-style: none; margin: 0; padding: 0; }
.log li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 .75rem; padding: .35rem 1rem; border-bottom: 1px solid var(--line); }
.log li:last-child { border-bottom: 0; }
.log .whole { grid-column: 1 / -1; overflow-wrap: anywhere; }
.chips { display: inline-flex; flex-wrap: wrap; gap: .25rem; }
.chip { display: inline-block; padding: 0 .45rem; border-radius: 3px; border: 1px solid transparent; font-size: .93em; line-height: 1.5; white-space: nowrap; font-variant-numeric: tabular-nums; color: var(--none); background: var(--none-ground); }
.chip.critical { color: var(--critical); background: var(--critical-ground); font-weight: 600; }
.chip.high { color: var(--high); background: var(--high-ground); font-weight: 550; }
.chip.medium, .chip.warn { color: var(--warn); background: var(--warn-ground); }
.chip.low, .chip.info { color: var(--info); background: var(--info-ground); }
.chip.unknown { color: var(--unknown); background: var(--unknown-ground); border: 1px dashed currentColor; }
.chip.ok { color: var(--ok); background: var(--ok-ground); }
.chip.bad { color: var(--bad); background: var(--bad-ground); font-weight: 550; }

.note { border-left: 3px solid var(--line-strong); background: var(--sunk); padding: .6rem .9rem; margin: .75rem 0; border-radius: 0 4px 4px 0; }
.note p { margin: .2rem 0; }
.note.warn { border-color: var(--warn); background: var(--warn-ground); color: var(--warn); }
.note.bad { border-color: var(--bad); background: var(--bad-ground); color: var(--bad); }
.note.ok { border-color: var(--ok); background: var(--ok-ground); color: var(--ok); }
pre { margin: .5rem 0; padding: .6rem .8rem; background: var(--sunk); border: 1px solid var(--line); border-radius: 4px; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.55; }
.note pre { background: transparent; border: 0; padding: 0; margin: .25rem 0; }

.narrow { max-width: 25rem; margin: 8vh auto 2rem; }
.narrow h1 { margin-bottom: .25rem; }
.narrow.wide { max-width: 36rem; }
.narrow h2 { margin: 1.1rem 0 .3rem; }
.narrow .facts { margin: 1rem 0; }
p .button { margin: .25rem 0; }
@media (min-width: 44.01rem) { .narrow { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 1.75rem 2rem 2rem; max-width: 29rem; } .narrow.wide { max-width: 40rem; } }
form.fields { display: grid; gap: .9rem; margin-top: 1rem; }
label { display: block; font-weight: 550; margin-bottom: .25rem; }
input:not([type=hidden]) { width: 100%; font: inherit; font-size: 1rem; padding: .5rem .6rem; color: var(--text); background: var(--panel); border: 1px solid var(--line-strong); border-radius: 4px; }
input[aria-invalid=true] { border-color: var(--bad); }
.hint { color: var(--muted); margin: .25rem 0 0; font-size: .93em; }
button, .button { display: inline-block; font: inherit; font-weight: 550; padding: .5rem .9rem; border-radius: 4px; border: 1px solid var(--accent); background: var(--accent); color: var(--accent-text); text-decoration: none; cursor: pointer; }
button:hover, .button:hover { filter: brightness(1.1); }
button.quiet { background: transparent; border-color: var(--line-strong); color: var(--text); padding: .2rem .6rem; font-weight: 500; }
button.quiet:hover { background: var(--sunk); filter: none; }
button.plain, .button.plain { background: var(--panel); border-color: var(--line-strong); color: var(--text); }
button.plain:hover, .button.plain:hover { background: var(--sunk); filter: none; }
form.inline { display: inline; }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: 1rem; }
.narrow form.fields button:only-of-type { width: 100%; }
.narrow .or { display: flex; align-items: center; gap: .75rem; margin: 1.5rem 0 .9rem; color: var(--muted); font-size: 1rem; font-weight: 500; }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
form.after { margin-top: 1.25rem; }
.issuers { display: grid; gap: .6rem; list-style: none; margin: 1rem 0; padding: 0; }
.issuers .button { display: block; text-align: center; }
input.code, p.code { font-family: var(--mono); letter-spacing: .12em; }
input.code { text-transform: uppercase; }
.may { margin: .4rem 0; padding-left: 1.2rem; }
.may li { margin: .2rem 0; }
p.code { font-size: 1.6rem; font-weight: 600; margin: .75rem 0 1rem; }
@media (min-width: 54.01rem) { td form.inline button { margin: -.25rem 0; } }
.choices { display: flex; flex-wrap: wrap; gap: .6rem 1.5rem; align-items: end; }
.choices + p { margin-top: .75rem; }
form.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: end; }
.who a { color: inherit; }
.qr { display: block; width: 13rem; max-width: 100%; height: auto; border-radius: 4px; border: 1px solid var(--line); }
.recovery { list-style: none; margin: .75rem 0; padding: .75rem 1rem; display: grid; gap: .35rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); background: var(--sunk); border: 1px solid var(--line); border-radius: 4px; font-family: var(--mono); font-size: 1rem; }

.reference { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 2rem; }
.toc { font-size: .95em; margin-bottom: 1rem; }
.toc ul { list-style: none; margin: 0; padding: 0; }
.toc > ul { display: flex; flex-wrap: wrap; gap: .25rem .9rem; }
.toc ul ul { display: none; }
.toc a { color: var(--muted); text-decoration: none; overflow-wrap: anywhere; }
.toc a:hover { color: var(--accent); text-decoration: underline; }
.toc > ul > li > a { color: var(--text); font-weight: 600; }
@media (min-width: 62rem) {
  .reference { grid-template-columns: 15rem minmax(0, 1fr); }
  .toc { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: .25rem .5rem 1rem 0; }
  .toc > ul { display: block; }
  .toc > ul > li { margin-bottom: .9rem; }
  .toc ul ul { display: block; margin-top: .2rem; }
  .toc ul ul a { display: block; padding: .1rem 0 .1rem .7rem; border-left: 1px solid var(--line); }
}
.module > h2 { font-size: 1.25rem; margin: 1.5rem 0 .75rem; }
.module:first-child > h2 { margin-top: 0; }
.operation > header { display: block; }
.operation h3 { display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: baseline; font-weight: 500; font-family: var(--mono); overflow-wrap: anywhere; }
.operation h3 a { color: inherit; text-decoration: none; }
.operation h3 a:hover { text-decoration: underline; }
.operation .summary { font-weight: 550; margin: .3rem 0 0; }
.operation h4 { font-size: 1em; margin: 1.1rem 0 .25rem; }
.operation table { border: 1px solid var(--line); border-radius: 4px; }
.method { font-weight: 650; color: var(--accent); }
.method.DELETE { color: var(--bad); }
.method.POST, .method.PUT, .method.PATCH { color: var(--info); }
.codes { list-style: none; margin: .5rem 0; padding: 0; display: grid; gap: .15rem 1rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
details > summary { cursor: pointer; margin-top: 1.1rem; font-weight: 600; }
.pager { display: flex; gap: .75rem; padding: .6rem 1rem; border-top: 1px solid var(--line); }
@media (max-width: 44rem) {
  main { padding: 1rem .75rem; }
  .top { padding: .6rem .75rem; }
  .who { margin-left: 0; width: 100%; justify-content: space-between; }
  .narrow { margin-top: 3vh; }
  .foot { padding: 1rem .75rem; }
}
@media print { .top nav, .who, .toc, .foot { display: none; } }
`.trim();

/** Its address changes with its content, so that a browser may keep it for good. */
export const stylesheetPath = `/static/style.${createHash("sha256").update(stylesheet).digest("hex").slice(0, 16)}.css`;
