"""The page's style sheet: for screens of any width, light or dark, and for paper."""

STYLE = """\
:root { color-scheme: light dark; --ink: #222; --soft: #5c5c5c; --rule: #ddd; --wash: #f6f6f4;
  --paper: #fff; --link: #00558a; --risk: #b2182b; --warn: #fff4d6; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 1rem; color: var(--ink);
  background: var(--paper); overflow-wrap: break-word;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 2.5rem 0 .5rem;
  border-top: 2px solid var(--ink); padding-top: .6rem; }
nav h2 { font-size: 1.05rem; border: none; margin: 1rem 0 0; padding: 0; }
h3 { font-size: 1.06rem; line-height: 1.3; margin: 1.8rem 0 .4rem; }
h1, h2, h3, code { overflow-wrap: anywhere; }
p, ul { margin: .4rem 0 .8rem; }
.note, figcaption, caption { color: var(--soft); font-size: .86rem; line-height: 1.4; }
.warning { background: var(--warn); padding: .5rem .9rem; border-left: 4px solid var(--risk); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; font-size: .86rem;
  background: var(--wash); padding: .7rem .9rem; margin: .8rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
nav ul { list-style: none; padding: 0; font-size: .92rem; }
nav li { margin: .3rem 0; }
nav span { font-size: .9em; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: .86rem; line-height: 1.35;
  font-variant-numeric: tabular-nums; margin: .9rem 0 1.4rem; }
caption { text-align: left; padding-bottom: .3rem; }
thead th { text-align: left; font-weight: 600; border-bottom: 1.5px solid var(--ink);
  vertical-align: bottom; }
th, td { padding: .25rem .7rem .25rem 0; vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
th.number, td.number, th.n, td.n { text-align: right; }
td.text { overflow-wrap: anywhere; min-width: 6em; }
td, tbody th.name { border-bottom: 1px solid var(--rule); }
tbody th.name { text-align: left; font-weight: 400; overflow-wrap: anywhere; min-width: 8em; }
td.number { white-space: nowrap; }
.ends { display: block; color: var(--soft); font-size: .86em; white-space: nowrap; }
td.strip { width: 22%; min-width: 6rem; vertical-align: middle; }
td.strip svg { display: block; width: 100%; height: 1.3em; }
.scale { stroke: var(--soft); stroke-width: .6; fill: none; }
.bar { stroke: var(--risk); stroke-width: 3.4; opacity: .45; }
.value { stroke: var(--risk); stroke-width: 1.8; }
tr.group th { text-align: left; padding-top: .8rem; font-weight: 600; overflow-wrap: anywhere; }
figure { margin: .8rem 0 1.2rem; max-width: 27rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr));
  column-gap: 1.5rem; }
figure img { display: block; width: 100%; height: auto; background: #fff; }
.key { font-size: .9rem; }
.key span { display: inline-block; margin-right: 1.1em; }
code { font-size: .92em; }
a { color: var(--link); }
.up { font-size: .86rem; text-align: right; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e6; --soft: #a9a9a6; --rule: #3c3c3c; --wash: #232323; --paper: #171717;
    --link: #7cc0f0; --risk: #f0717f; --warn: #40361a; }
  .key b { background: #fff; padding: 0 .25em; border-radius: 3px; }
}
@media screen and (max-width: 40rem) {
  body { padding: .8rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .35rem; }
  a { padding: .15em 0; }
  .cards, .cards tbody, .cards caption, tr.group, tr.group th { display: block; }
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  .cards tr:not(.group) { display: flex; flex-wrap: wrap; gap: .25rem .7rem;
    border-bottom: 1px solid var(--rule); padding: .5rem 0; }
  .cards tbody td, .cards tbody th.name { border: none; padding: 0; text-align: left;
    width: auto; min-width: 0; white-space: normal; flex: 0 0 calc((100% - 1.4rem) / 3); }
  .cards tbody th.name { flex: 1 1 60%; font-weight: 600; overflow-wrap: anywhere; }
  .cards tbody td.n { flex: 0 0 auto; order: -1; text-align: right; color: var(--soft); }
  .cards tbody th.name { order: -2; }
  .cards tbody td.strip { flex: 1 1 50%; align-self: center; }
  .cards tbody td.text { flex: 1 1 60%; }
  .cards td[data-of]::before { content: attr(data-of); display: block; color: var(--soft);
    font-size: .86em; line-height: 1.25; }
  .cards .ends { white-space: normal; }
  .cards td.strip::before { display: none; }
  .cards td.n::before { content: "n = "; display: inline; font-size: 1em; }
  tr.group th { border-bottom: 1.5px solid var(--ink); padding-bottom: .15rem; }
}
@media print {
  :root { color-scheme: light; }
  @page { size: A4; margin: 16mm 15mm; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h1 { font-size: 17pt; }
  h2 { font-size: 13.5pt; }
  h3 { font-size: 11pt; }
  h1, h2, h3, .keep, .note, caption, thead, tr.group { break-after: avoid; }
  h1, h2, h3, .keep, figure, caption, tr, p, li, dl, tbody.few { break-inside: avoid; }
  thead { display: table-header-group; }
  figure { max-width: 9.5cm; }
  figure img { width: auto; max-width: 100%; max-height: 18cm; }
  table { font-size: 8.5pt; }
  a { color: inherit; text-decoration: none; }
  nav span, .up { display: none; }
}
"""
