"""How reports look: one style sheet, for wide and narrow screens, light, dark and paper."""

__all__ = ["STYLE"]

STYLE = """
:root{--ink:#1d2329;--soft:#5b6670;--line:#dfe3e7;--page:#fff;--card:#f6f7f9;--accent:#0072b2;--alarm:#b3400e;
--alarm-page:#fdf1ea}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa5af;--line:#363d44;--page:#15181b;--card:#1e2226;
--accent:#56b4e9;--alarm:#f0905c;--alarm-page:#33211a}
.chart img,.plot img,.wide img{filter:invert(1) hue-rotate(180deg)}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:72rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.3;margin:2.75rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.5rem 0 .5rem;overflow-wrap:anywhere}
p,ul,ol{max-width:46rem;margin:.5rem 0}
ul,ol{padding-left:1.25rem}
li{margin:.25rem 0}
a{color:var(--accent)}
small,figcaption,.soft{color:var(--soft);font-size:.875rem;line-height:1.4}
.lead{font-size:1.125rem}
.stamp,.warning{max-width:46rem;border-left:4px solid var(--alarm);background:var(--alarm-page);padding:.5rem 1rem;
margin:.75rem 0}
.stamp{font-weight:600;color:var(--alarm)}
.statement{max-width:46rem;border-left:4px solid var(--accent);background:var(--card);padding:.75rem 1rem;margin:1rem 0}
.statement p{margin:.25rem 0}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.9375rem;margin:.5rem 0}
th,td{padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft);font-size:.875rem;line-height:1.3;vertical-align:bottom}
th.n{max-width:6.5rem}
td:last-child,th:last-child{padding-right:0}
td.t{overflow-wrap:anywhere;min-width:7rem}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}
td.n{white-space:nowrap}
.bar{display:inline-block;height:.6rem;background:var(--accent);border-radius:2px;min-width:1px}
.track{display:block;width:7rem}
figure{margin:0}
figcaption{margin-top:.35rem;overflow-wrap:anywhere}
img{display:block;max-width:100%;height:auto}
.pictures{display:grid;gap:1.75rem 1.5rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));
margin:1rem 0}
.chart img{width:100%;max-width:27rem}
.photo img{width:100%;max-width:37rem;border-radius:3px}
.beside{display:flex;flex-wrap:wrap;gap:1.5rem 3rem;align-items:flex-start}
.beside>*{max-width:100%}
.wide img{max-width:none}
.wide{grid-column:1/-1}
audio{display:block;width:100%;max-width:22rem;height:2.5rem;margin-top:.5rem}
dl{display:grid;grid-template-columns:minmax(8rem,15rem) minmax(0,1fr);gap:.3rem 1.25rem;margin:.5rem 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
code,pre{font:.8125rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);padding:.75rem;margin:.5rem 0}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--accent)}
article+article{margin-top:3.5rem;border-top:3px solid var(--line);padding-top:1.5rem}
@media(max-width:40rem){main{padding:1.25rem 1rem 3rem}h1{font-size:1.4rem}dl{display:block}dd{margin:0 0 .6rem}
.under table,.under tbody{display:block}.under thead{display:none}
.under tr{display:grid;grid-template-columns:minmax(0,1fr) auto minmax(0,auto);column-gap:.75rem;
border-bottom:1px solid var(--line);padding:.35rem 0}
.under td{border:0;padding:0;min-width:0}.under td:first-child{font-weight:600}
.under td:nth-child(3):not(:last-child){min-width:8.5rem}
.under td:last-child{grid-column:1/-1;color:var(--soft);font-size:.875rem}}
@media print{main{max-width:none;padding:0}figure,tr,.statement{break-inside:avoid}h2,h3{break-after:avoid}audio{
display:none}}
"""
