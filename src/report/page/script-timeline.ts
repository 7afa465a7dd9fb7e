/** The timeline: a row a resource, a bar a phase, dotted where it waited, the critical path ringed and joined. */
export const TIMELINE_SCRIPT = String.raw`
var PHASE_ORDER = ["evaluate", "create", "registry", "build", "push", "deploy", "ready", "job", "command", "serve", "test", "teardown"];
function critical(resource, phase) {
  return R.criticalPath.some(function (s) { return s.resource === resource.name && s.phase === phase.name && s.subject === phase.subject; });
}
function isRed(status) { return status === "failed" || status === "error" || status === "cancelled"; }
function timeline() {
  var start = ms(R.startedAt), end = start + Math.max(1, R.durationMs);
  R.resources.forEach(function (r) { r.phases.forEach(function (p) {
    if (p.startedAt) { start = isNaN(start) ? ms(p.startedAt) : Math.min(start, ms(p.startedAt)); end = Math.max(isNaN(end) ? 0 : end, ms(p.startedAt) + p.durationMs); }
  }); });
  var rows = R.resources.filter(function (r) { return r.enabled && r.phases.length; });
  var view = {rows: rows, filter: "All", zoom: 1, order: "Tiltfile", start: start, span: Math.max(1, end - start), selected: null};
  var box = el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Timeline, scrollable"});
  function draw() { drawTimeline(box, view); }
  var zoom = el("select", {"aria-label": "Zoom", change: function () { view.zoom = Number(zoom.value); draw(); }}, [1, 2, 4, 8, 16].map(function (z) { return el("option", {value: z}, z + "×"); }));
  var order = el("select", {"aria-label": "Order", change: function () { view.order = order.value; draw(); }}, ["Tiltfile", "start", "end", "longest"].map(function (o) { return el("option", {value: o}, "by " + o); }));
  var node = section("timeline", "Timeline", [el("span", {class: "grow"})].concat(toggles(["All", "Critical path", "Not passed"], "All", function (name) { view.filter = name; draw(); }), [order, zoom]));
  view.redraw = draw;
  draw();
  node.append(box, legend(), pathText());
  return node;
}
function legend() {
  var used = {};
  R.resources.forEach(function (r) { r.phases.forEach(function (p) { if (p.startedAt) used[p.name] = true; }); });
  var items = PHASE_ORDER.filter(function (p) { return used[p]; }).map(function (p) { return el("span", {}, [el("i", {style: "--c:var(--" + p + ")"}), p]); });
  items.push(el("span", {}, [el("i", {style: "--c:var(--failed)"}), "failed"]), el("span", {}, "┈ waited"), el("span", {}, "▢ critical path"));
  return el("div", {class: "legend"}, items);
}
function pathText() {
  if (!R.criticalPath.length) return null;
  var parts = ["Critical path: "];
  R.criticalPath.forEach(function (s, i) {
    if (i) parts.push(" → ");
    parts.push(el("b", {}, s.resource + " " + label(s)), " " + duration(s.durationMs) + (s.waitedMs > 500 ? " (after " + duration(s.waitedMs) + " of waiting)" : ""));
  });
  return el("p", {class: "path"}, parts);
}
function shownRows(view) {
  var rows = view.rows.filter(function (r) {
    if (view.filter === "All") return true;
    if (view.filter === "Not passed") return r.status !== "passed";
    return r.phases.some(function (p) { return critical(r, p); });
  });
  function key(r) {
    if (view.order === "start") return ms(r.startedAt) || Infinity;
    if (view.order === "end") return r.startedAt ? ms(r.startedAt) + r.durationMs : Infinity;
    return view.order === "longest" ? -r.durationMs : 0;
  }
  return rows.slice().sort(function (a, b) { return key(a) - key(b) || 0; });
}
function drawTimeline(box, view) {
  var rows = shownRows(view), compact = rows.length > 60;
  var height = compact ? 15 : 24;
  var top = box.scrollTop, left = box.scrollLeft;
  box.textContent = "";
  box.style.cssText = "--names:" + (window.innerWidth < 720 ? 110 : 210) + "px;--row:" + height + "px;--row-font:" + (compact ? 11 : 13) + "px";
  var body = el("div", {class: "tl", style: "width:" + view.zoom * 100 + "%"});
  body.append(axis(view));
  rows.forEach(function (r) { body.append(row(r, view)); });
  var lines = el("svg", {class: "lines", height: rows.length * height, viewBox: "0 0 1000 " + rows.length * height, preserveAspectRatio: "none", "aria-hidden": "true"});
  lines.style.width = "calc(100% - var(--names))";
  body.append(lines);
  box.append(body);
  if (!rows.length) body.append(el("p", {class: "note", style: "padding:.5rem"}, "Nothing to show"));
  view.lines = {svg: lines, at: {}, height: height};
  rows.forEach(function (r, i) { view.lines.at["$" + r.name] = i; });
  drawCritical(view);
  box.scrollTop = top;
  box.scrollLeft = left;
}
function axis(view) {
  var ticks = el("div", {class: "ticks"});
  var steps = [100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000, 1800000, 3600000];
  var most = (window.innerWidth < 720 ? 4 : 10) * view.zoom;
  var step = steps.find(function (s) { return view.span / s <= most; }) || 7200000;
  for (var t = 0; t <= view.span * 0.97; t += step) ticks.append(el("span", {style: "left:" + (t / view.span) * 100 + "%"}, step < 1000 ? (t / 1000).toFixed(1) + "s" : duration(t).replace(".0s", "s")));
  return el("div", {class: "tl-axis", "aria-hidden": "true"}, [el("div"), ticks]);
}
function row(r, view) {
  var track = el("div", {class: "tl-track"});
  waits(r).forEach(function (w) { track.append(span("wait", w.from, w.to, view, w.title)); });
  var lanes = lanesOf(r), slot = 64 / lanes.count;
  r.phases.forEach(function (p, i) {
    if (!p.startedAt) return;
    var from = ms(p.startedAt), classes = "bar " + (p.name === "serve" ? "serve " : "") + p.status + (p.cached ? " cached" : "") + (critical(r, p) ? " critical" : "");
    var bar = span(classes, from, from + p.durationMs, view, r.name + ": " + label(p) + "\n" + p.status + ", " + duration(p.durationMs) + ", from " + duration(from - view.start) + (p.message ? "\n" + p.message : "") + stepsText(p));
    bar.style.setProperty("--c", "var(--" + p.name + ")");
    if (lanes.count > 1 && p.name !== "serve") { bar.style.top = 18 + lanes.at[i] * slot + "%"; bar.style.height = slot - 4 + "%"; }
    track.append(bar);
  });
  var name = el("a", {href: "#r" + indexOf(r.name), title: r.name}, r.name);
  var show = function () { drawDependencies(r, view); }, hide = function () { drawDependencies(null, view); };
  return el("div", {class: "tl-row", mouseenter: show, mouseleave: hide, focusin: show, focusout: hide}, [
    el("div", {class: "tl-name"}, [el("span", {class: "icon s-" + r.status, "aria-label": r.status}, ICONS[r.status]), name]), track]);
}
/* Phases of one resource that run at the same time (builds of several images) lie below each other. */
function lanesOf(r) {
  var ends = [], at = {};
  r.phases.map(function (p, i) { return {p: p, i: i}; }).filter(function (x) { return x.p.startedAt && x.p.name !== "serve"; }).sort(function (a, b) { return ms(a.p.startedAt) - ms(b.p.startedAt); }).forEach(function (x) {
    var from = ms(x.p.startedAt), lane = ends.findIndex(function (end) { return end <= from + 50; });
    if (lane < 0) lane = ends.length;
    ends[lane] = from + x.p.durationMs;
    at[x.i] = lane;
  });
  return {at: at, count: Math.max(1, ends.length)};
}
function stepsText(p) {
  if (!p.steps) return "";
  return "\n" + p.steps.slice(0, 15).map(function (s) { return "· " + s.name + " " + duration(s.durationMs); }).join("\n");
}
function span(classes, from, to, view, title) {
  var node = el("div", {class: classes, title: title});
  node.style.left = ((from - view.start) / view.span) * 100 + "%";
  node.style.width = (Math.max(0, to - from) / view.span) * 100 + "%";
  return node;
}
/* Where a resource stood still: between its phases, or before its first one, with the reason as far as it was told. */
function waits(r) {
  var found = [], ends = [];
  var planned = R.resources.find(function (x) { return x.name === "(Tiltfile)"; });
  var from = planned && planned.finishedAt ? ms(planned.finishedAt) : NaN;
  if (r.type === "cluster" || r.type === "tiltfile") return found;
  r.phases.forEach(function (p) { (p.holds || []).forEach(function (h) {
    found.push({from: ms(h.startedAt), to: ms(h.startedAt) + h.durationMs, title: r.name + " waited " + duration(h.durationMs) + ": " + h.reason});
  }); });
  r.phases.filter(function (p) { return p.startedAt && p.name !== "teardown"; }).sort(function (a, b) { return ms(a.startedAt) - ms(b.startedAt); }).forEach(function (p) {
    var before = Math.max.apply(null, ends.concat(isNaN(from) ? [] : [from]));
    var gap = ms(p.startedAt) - before;
    var told = (p.holds || []).length > 0;
    if (isFinite(before) && gap > 300 && !told) found.push({from: before, to: ms(p.startedAt), title: r.name + " waited " + duration(gap) + (r.resourceDeps.length ? " (needs " + r.resourceDeps.join(", ") + ")" : "")});
    ends.push(ms(p.startedAt) + p.durationMs);
  });
  return found;
}
function point(name, time, view) {
  var at = view.lines.at["$" + name];
  return at === undefined ? null : {x: ((time - view.start) / view.span) * 1000, y: (at + 0.5) * view.lines.height};
}
function joined(a, b) { return "M" + a.x + " " + a.y + "L" + b.x + " " + a.y + "L" + b.x + " " + b.y; }
function drawCritical(view) {
  R.criticalPath.forEach(function (s, i) {
    var before = R.criticalPath[i - 1];
    if (!before) return;
    var a = point(before.resource, ms(before.startedAt) + before.durationMs, view), b = point(s.resource, ms(s.startedAt), view);
    if (a && b) view.lines.svg.append(el("path", {class: "crit", d: joined(a, b)}));
  });
}
function drawDependencies(r, view) {
  [].slice.call(view.lines.svg.querySelectorAll(".dep")).forEach(function (n) { n.remove(); });
  if (!r) return;
  var first = r.phases.find(function (p) { return p.startedAt && p.name !== "build" && p.name !== "push"; });
  var until = first ? ms(first.startedAt) : view.start + view.span;
  r.resourceDeps.forEach(function (dep) {
    var d = R.resources[indexOf(dep)];
    if (!d || !d.startedAt) return;
    var a = point(dep, ms(d.startedAt) + d.durationMs, view), b = point(r.name, until, view);
    if (a && b) view.lines.svg.append(el("path", {class: "dep", d: joined(a, b)}));
  });
}
`;
