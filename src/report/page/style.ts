/** The page's style sheet. Both colour schemes are sets of variables; nothing is loaded from anywhere. */
export const PAGE_STYLE = `
:root{color-scheme:light;--bg:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5a6675;--line:#dde2e9;--faint:#eef1f5;
--link:#0b5fbf;--ring:#0b5fbf;--passed:#1a7f47;--failed:#c32027;--error:#a3158f;--skipped:#6b7684;--cancelled:#8a6100;--pending:#6b7684;
--failed-bg:#fdf0f0;--passed-bg:#edf8f1;--error-bg:#fbeffa;--cancelled-bg:#fcf5e6;--mark:#ffe37a;--critical:#111827;
--evaluate:#7b5bd6;--create:#50698f;--registry:#8aa0bf;--build:#e08a1e;--push:#c9b32f;--deploy:#2f7fd8;--ready:#25a06b;--job:#159a93;--command:#0f97b5;--test:#0e7fb0;--serve:#8fd1b0;--teardown:#8b94a1}
:root[data-theme=dark]{color-scheme:dark;--bg:#12161c;--card:#1a2028;--ink:#e6ebf2;--soft:#9aa7b8;--line:#2d3643;--faint:#222a35;
--link:#6db3ff;--ring:#6db3ff;--passed:#4cc988;--failed:#ff6b6b;--error:#f07fe0;--skipped:#93a0b0;--cancelled:#e5b94f;--pending:#93a0b0;
--failed-bg:#33191c;--passed-bg:#14291e;--error-bg:#321a30;--cancelled-bg:#2e2612;--mark:#7a6300;--critical:#fff;
--evaluate:#9d83ee;--create:#7b96c2;--registry:#5a7296;--build:#eb9b36;--push:#cdb93c;--deploy:#5aa2f2;--ready:#35b67e;--job:#2db5ad;--command:#2bb0cf;--test:#2f9fd2;--serve:#39795a;--teardown:#6b7685}
*{box-sizing:border-box}html{scroll-behavior:smooth;scroll-padding-top:3.6rem}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1280px;margin:0 auto;padding:1rem 1.25rem 4rem}
h1,h2,h3{line-height:1.25;margin:0}h2{font-size:1.15rem}h3{font-size:1rem}
a{color:var(--link)}code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.87em}
button,input,select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.25rem .6rem}
button{cursor:pointer}button:hover{background:var(--faint)}button[aria-pressed=true]{background:var(--ink);color:var(--card);border-color:var(--ink)}
:focus-visible{outline:2px solid var(--ring);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.4rem;z-index:9}
.top{position:sticky;top:0;z-index:5;background:var(--card);border-bottom:1px solid var(--line)}
.top>div{max-width:1280px;margin:0 auto;padding:.45rem 1.25rem;display:flex;gap:1rem;align-items:center}
.top nav{display:flex;gap:.9rem;flex:1;overflow-x:auto;white-space:nowrap}.top nav a{color:var(--soft);text-decoration:none}.top nav a:hover{color:var(--ink)}
.badge{display:inline-block;border-radius:99px;padding:.1rem .7rem;font-weight:650;color:#fff;background:var(--skipped);font-size:.85rem;letter-spacing:.02em}
[data-theme=dark] .badge{color:#10141a}
.badge.passed{background:var(--passed)}.badge.failed{background:var(--failed)}.badge.error{background:var(--error)}.badge.cancelled{background:var(--cancelled)}
.head{margin:.8rem 0 1rem;display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;align-items:baseline}.head h1{font-size:1.5rem;flex-basis:100%}
.head span{color:var(--soft)}.head b{color:var(--ink);font-weight:600}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.2rem;margin:0 0 1rem}
section{margin-top:1.8rem}section>header{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:center;margin-bottom:.6rem}section>header .grow{flex:1}section>header input{width:23rem;max-width:100%}
.cause{border-left:5px solid var(--failed);background:var(--failed-bg)}.cause.error{border-left-color:var(--error);background:var(--error-bg)}
.cause.passed{border-left-color:var(--passed);background:var(--passed-bg)}.cause.cancelled{border-left-color:var(--cancelled);background:var(--cancelled-bg)}
.cause h2{font-size:1.25rem;overflow-wrap:anywhere}.cause .code{font-size:.85rem;color:var(--soft);font-weight:500}.cause p{margin:.4rem 0;overflow-wrap:anywhere}
.cause .message{font-size:1.05rem;font-weight:550}.cause dl{display:grid;grid-template-columns:auto 1fr;gap:.15rem 1rem;margin:.5rem 0 0}.cause dt{color:var(--soft)}.cause dd{margin:0;overflow-wrap:anywhere}.cause dd code{white-space:pre-wrap}
pre{margin:.4rem 0;padding:.6rem .8rem;background:var(--faint);border-radius:6px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;tab-size:4}
.cause pre{background:color-mix(in srgb,var(--card) 70%,transparent);max-height:27rem}
/* Scrolled to its end: what a program says last is why it ended. */
.cause pre.tail{display:flex;flex-direction:column-reverse}.cause pre.tail code{font-size:1em}
.tiles{display:flex;flex-wrap:wrap;gap:.6rem;margin:0 0 1rem;padding:0;list-style:none}.tiles li{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.4rem .9rem;min-width:6.2rem}
.tiles b{display:block;font-size:1.25rem;line-height:1.2}.tiles span{color:var(--soft);font-size:.85rem}
.tiles+.tiles{margin-top:-.4rem}.tiles li.head2{border:0;background:none;min-width:0;align-self:center;color:var(--soft);padding:.4rem .2rem}
.s-passed{color:var(--passed)}.s-failed{color:var(--failed)}.s-error{color:var(--error)}.s-skipped,.s-pending{color:var(--skipped)}.s-cancelled,.s-running{color:var(--cancelled)}
.scroll{overflow:auto;max-height:74vh;border:1px solid var(--line);border-radius:10px;background:var(--card);position:relative}
.tl{position:relative;min-width:100%}
.tl-axis{position:sticky;top:0;z-index:3;background:var(--card);border-bottom:1px solid var(--line);height:24px;display:flex}
.tl-axis>div:first-child{width:var(--names);flex:none;position:sticky;left:0;background:var(--card);z-index:1;border-right:1px solid var(--line)}
.tl-axis .ticks{position:relative;flex:1}.tl-axis .ticks span{position:absolute;top:2px;font-size:.75rem;color:var(--soft);padding-left:3px;border-left:1px solid var(--line);height:22px}
.tl-row{display:flex;height:var(--row);align-items:stretch}.tl-row:nth-child(odd){background:color-mix(in srgb,var(--faint) 45%,transparent)}
.tl-row:hover,.tl-row:focus-within{background:var(--faint)}
.tl-name{width:var(--names);flex:none;position:sticky;left:0;z-index:2;background:inherit;border-right:1px solid var(--line);padding:0 .5rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-size:var(--row-font);line-height:var(--row);display:flex;gap:.35rem}
.tl-row .tl-name{background:var(--card)}.tl-row:hover .tl-name,.tl-row:focus-within .tl-name{background:var(--faint)}
.tl-name a{color:inherit;text-decoration:none;overflow:hidden;text-overflow:ellipsis}.tl-name a:hover{text-decoration:underline}
.tl-track{position:relative;flex:1}
.bar{position:absolute;top:18%;height:64%;min-width:2px;border-radius:3px;background:var(--c)}
.bar.serve{top:42%;height:18%}.bar.failed,.bar.error{background:repeating-linear-gradient(135deg,var(--failed) 0 6px,color-mix(in srgb,var(--failed) 72%,#000) 6px 9px)}.bar.error{--failed:var(--error)}
.bar.cancelled{background:repeating-linear-gradient(135deg,var(--c) 0 4px,transparent 4px 8px)}.bar.cached{opacity:.55}
.bar.critical{box-shadow:0 0 0 2px var(--card),0 0 0 4px var(--critical);z-index:1}
.wait{position:absolute;top:50%;height:0;border-top:2px dotted var(--soft);opacity:.55}
.lines{position:absolute;top:24px;left:var(--names);right:0;pointer-events:none;z-index:1}.lines path{fill:none;vector-effect:non-scaling-stroke}
.lines .crit{stroke:var(--critical);stroke-width:1.5;opacity:.75}.lines .dep{stroke:var(--link);stroke-width:1.5;stroke-dasharray:4 3}
.legend{display:flex;flex-wrap:wrap;gap:.2rem .9rem;font-size:.82rem;color:var(--soft);margin:.5rem 0 0}.legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;background:var(--c);margin-right:.35rem;vertical-align:-1px}
.path{font-size:.9rem;color:var(--soft);margin:.5rem 0 0}.path b{color:var(--ink);font-weight:600;white-space:nowrap}
.graph svg{display:block}.graph a:focus-visible{outline:none}.graph a:focus-visible rect{stroke:var(--ring);stroke-width:3}
.graph text{font-size:12px;fill:var(--ink)}.graph rect{fill:var(--faint);stroke:var(--line)}.graph .edge{fill:none;stroke:var(--soft);opacity:.5}.graph .edge.echo{stroke:var(--failed);stroke-dasharray:5 3;opacity:.9}.graph .edge.blocked{stroke:var(--cancelled);opacity:.9}
.graph.crowded .edge{opacity:.12}.graph.crowded .edge.echo,.graph.crowded .edge.blocked{opacity:.7}.graph.crowded .edge.lit,.graph .edge.lit{opacity:1;stroke-width:1.5}
.graph g.dim{opacity:.2}.graph .edge.dim,.graph.crowded .edge.dim{opacity:.05}
.res{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:0 0 .4rem;overflow:hidden}
.res>summary{display:flex;gap:.7rem;align-items:center;padding:.42rem .8rem;cursor:pointer;list-style:none}.res>summary::-webkit-details-marker{display:none}
.res>summary:hover{background:var(--faint)}.res[open]>summary{border-bottom:1px solid var(--line)}
.res .name{font-weight:600;overflow-wrap:anywhere}.res .why{color:var(--soft);flex:1;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-size:.9rem}.res .dur{color:var(--soft);font-variant-numeric:tabular-nums;font-size:.9rem}
.res .body{padding:.7rem .9rem 1rem}.icon{width:1.1em;flex:none;text-align:center;font-weight:700}
.chips{display:flex;gap:3px;flex:none}.chips i{width:.7rem;height:.7rem;border-radius:2px;background:var(--passed)}.chips i.failed{background:var(--failed)}.chips i.error{background:var(--error)}.chips i.skipped,.chips i.pending{background:none;border:1px solid var(--skipped)}.chips i.cancelled{background:var(--cancelled)}
table{border-collapse:collapse;width:100%;font-size:.9rem}th{text-align:left;color:var(--soft);font-weight:500}th,td{padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}th[scope=row]{width:13rem}td.n{font-variant-numeric:tabular-nums;white-space:nowrap}
.tabs{display:flex;flex-wrap:wrap;gap:.35rem;margin:.9rem 0 .4rem}.pane[hidden]{display:none}
.log{max-height:30rem;font-size:.8rem;line-height:1.45}.log .t{color:var(--soft);user-select:none}.log .w{color:var(--cancelled)}.log .e{color:var(--failed)}mark{background:var(--mark);color:inherit}
.bar2{display:flex;gap:.5rem;flex-wrap:wrap;align-items:center;font-size:.9rem}.bar2 input{flex:1;min-width:10rem}.note{color:var(--soft);font-size:.85rem}
.hit{display:block;width:100%;text-align:left;border:0;border-bottom:1px solid var(--line);border-radius:0;background:none;padding:.2rem .4rem;overflow-wrap:anywhere}
.copy{font-size:.8rem;padding:.05rem .5rem;margin-left:.5rem}
@media (max-width:720px){main{padding:.6rem}.res .why{display:none}.res .chips{margin-left:auto}.cause dl{grid-template-columns:1fr}.top nav{gap:.6rem}}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media print{.top,.scroll{position:static;max-height:none}button,input,select{display:none}}
`;
