"""The page's style sheet: for screens of any width and for paper."""

STYLE = """\
:root { color-scheme: light; --ink: #222; --soft: #666; --rule: #ddd; --wash: #f6f6f4; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 50rem; padding: 1rem; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; border-top: 2px solid var(--ink);
  padding-top: .6rem; }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .4rem; }
p, ul { margin: .4rem 0 .8rem; }
.note, figcaption, td.soft { color: var(--soft); font-size: .86rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; font-size: .86rem;
  background: var(--wash); padding: .7rem .9rem; margin: .8rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .86rem;
  font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 1.5px solid var(--ink); }
th, td { padding: .25rem .5rem .25rem 0; vertical-align: top; }
td { border-bottom: 1px solid var(--rule); }
th.num, td.num { text-align: right; }
td.num { white-space: nowrap; }
th { vertical-align: bottom; }
td.strip { width: 30%; min-width: 7rem; vertical-align: middle; }
td.strip svg { display: block; width: 100%; height: 1.2em; }
tr.group td { border-bottom: none; padding-top: .8rem; font-weight: 600; }
figure { margin: .8rem 0; }
figure img { display: block; width: 100%; max-width: 34rem; height: auto; }
.key { font-size: .86rem; }
.key span { white-space: nowrap; margin-right: 1.1em; }
code { font-size: .92em; }
nav { font-size: .9rem; }
nav a { margin-right: .9em; white-space: nowrap; }
a { color: #00558a; }
@media (max-width: 34rem) {
  body { padding: .8rem; font-size: 15px; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .35rem; }
  .seats, .seats thead, .seats tbody { display: block; font-size: .8rem; }
  .seats tr { display: grid; grid-template-columns: 5em 4.4em 1fr 5.2em 1.8em; }
  .seats th:first-child { display: none; }
  .seats td:first-child { grid-column: 1 / -1; font-weight: 600; border: none; padding-bottom: 0; }
  .seats td:empty { display: none; }
  .cards thead { display: none; }
  .cards, .cards tbody { display: block; }
  .cards tr { display: grid; grid-template-columns: repeat(4, 1fr); column-gap: .6rem;
    border-bottom: 1px solid var(--rule); padding: .35rem 0; }
  .cards td { border: none; padding: 0; text-align: left; }
  .cards td.name { grid-column: 1 / 4; grid-row: 1; font-weight: 600; }
  .cards td.risk, .cards td.ends { text-align: right; }
  .cards td.strip { grid-column: 1 / 3; grid-row: 2; min-width: 0; width: auto;
    align-self: center; }
  .cards td.ends { grid-column: 3 / 5; grid-row: 2; }
  .cards td.risk { grid-column: 4; grid-row: 1; font-weight: 600; }
  .cards td[data-of]::before { content: attr(data-of) " "; display: block; color: var(--soft);
    font-size: .8em; line-height: 1.2; }
  .cards tr.group { display: block; padding-bottom: .1rem; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3, h2 + p, .key { break-after: avoid; }
  figure img { max-width: 12cm; }
  h2 + p, h3, figure, tr { break-inside: avoid; }
  .wide { overflow: visible; }
  nav { display: none; }
}
"""
