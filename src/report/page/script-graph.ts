/** The resource graph: columns by depth of `resource_deps`, tall columns folded; failures' echoes and blocks as edges. */
export const GRAPH_SCRIPT = `
function edges() {
  var found = [];
  R.resources.forEach(function (r) {
    r.resourceDeps.forEach(function (dep) { if (indexOf(dep) >= 0) found.push({from: dep, to: r.name, kind: ""}); });
    r.causedBy.forEach(function (c) {
      if (c.resource === r.name || c.relation === "needs" || indexOf(c.resource) < 0) return;
      var known = found.find(function (e) { return e.from === c.resource && e.to === r.name; });
      if (known) known.kind = c.relation;
      else found.push({from: c.resource, to: r.name, kind: c.relation});
    });
  });
  return found;
}
function depths(names, all) {
  var depth = {}, into = {};
  all.forEach(function (e) { (into["$" + e.to] = into["$" + e.to] || []).push(e.from); });
  function of(name, trail) {
    var key = "$" + name;
    if (depth[key] !== undefined) return depth[key];
    if (trail[key]) return 0;
    trail[key] = true;
    var from = into[key] || [], d = 0;
    from.forEach(function (f) { d = Math.max(d, of(f, trail) + 1); });
    delete trail[key];
    return (depth[key] = d);
  }
  names.forEach(function (n) { of(n, {}); });
  return depth;
}
/* What a red run is about: what did not pass, with what it waits for and what waits for it. */
function around(inGraph, all) {
  var red = {}, near = {};
  inGraph.forEach(function (r) { if (r.status !== "passed") red["$" + r.name] = near["$" + r.name] = true; });
  all.forEach(function (e) { if (red["$" + e.from] || red["$" + e.to]) near["$" + e.from] = near["$" + e.to] = true; });
  return inGraph.filter(function (r) { return near["$" + r.name]; });
}
function graph() {
  var all = edges(), linked = {};
  all.forEach(function (e) { linked["$" + e.from] = linked["$" + e.to] = true; });
  var inGraph = R.resources.filter(function (r) { return linked["$" + r.name]; });
  var red = around(inGraph, all);
  var alone = R.resources.filter(function (r) { return !linked["$" + r.name] && r.type !== "cluster" && r.type !== "tiltfile"; }).length;
  var text = inGraph.length ? (alone ? plural(alone, "resource") + " without dependencies left out. " : "") : "No resource depends on another. ";
  var box = el("div", {class: "scroll graph", tabindex: "0", role: "region", "aria-label": "Resource graph, scrollable"});
  function draw(name) {
    box.textContent = "";
    var nodes = name === "All" ? inGraph : red;
    box.classList.toggle("crowded", nodes.length > 60);
    box.append(drawGraph(nodes, all));
  }
  var some = red.length > 0 && red.length < inGraph.length;
  var start = some && inGraph.length > 60 ? "Not passed" : "All";
  var node = section("graph", "Resource graph", some ? [el("span", {class: "grow"})].concat(toggles(["All", "Not passed"], start, draw)) : []);
  if (inGraph.length) { draw(start); node.append(box); }
  node.append(el("p", {class: "note"}, text + "Lines go from a resource to those that wait for it; dashed red: failed as an echo; amber: blocked."));
  return node;
}
function positions(inGraph, all) {
  var depth = depths(inGraph.map(function (r) { return r.name; }), all), layers = [], spot = {};
  inGraph.forEach(function (r) { var d = depth["$" + r.name]; (layers[d] = layers[d] || []).push(r); });
  var x = 14, W = 176, H = 28, maxRows = 22, bottom = 0;
  layers.forEach(function (layer, d) {
    if (d) layer.sort(function (a, b) { return mean(a, all, spot) - mean(b, all, spot); });
    layer.forEach(function (r, i) {
      var at = {x: x + Math.floor(i / maxRows) * (W + 14), y: 12 + (i % maxRows) * (H + 8), w: W, h: H};
      spot["$" + r.name] = at;
      bottom = Math.max(bottom, at.y + H);
    });
    x += Math.ceil(layer.length / maxRows) * (W + 14) + 44;
  });
  return {spot: spot, width: x, height: bottom + 14};
}
function mean(r, all, spot) {
  var ys = all.filter(function (e) { return e.to === r.name && spot["$" + e.from]; }).map(function (e) { return spot["$" + e.from].y; });
  return ys.length ? ys.reduce(function (a, b) { return a + b; }, 0) / ys.length : 0;
}
function drawGraph(inGraph, all) {
  var laid = positions(inGraph, all), spot = laid.spot;
  var svg = el("svg", {width: laid.width, height: laid.height, viewBox: "0 0 " + laid.width + " " + laid.height, role: "group", "aria-label": "Resources and what they wait for"});
  var drawn = [], boxes = {};
  all.forEach(function (e) {
    var a = spot["$" + e.from], b = spot["$" + e.to];
    if (!a || !b) return;
    var x1 = a.x + a.w, y1 = a.y + a.h / 2, x2 = b.x, y2 = b.y + b.h / 2, bend = Math.max(24, (x2 - x1) / 2);
    var path = el("path", {class: "edge " + e.kind, d: "M" + x1 + " " + y1 + "C" + (x1 + bend) + " " + y1 + " " + (x2 - bend) + " " + y2 + " " + x2 + " " + y2});
    drawn.push({edge: e, path: path});
    svg.append(path);
  });
  function focus(name) {
    var near = {};
    near["$" + name] = true;
    drawn.forEach(function (d) {
      var on = name === null || d.edge.from === name || d.edge.to === name;
      d.path.classList.toggle("dim", !on);
      d.path.classList.toggle("lit", on && name !== null);
      if (on) near["$" + d.edge.from] = near["$" + d.edge.to] = true;
    });
    Object.keys(boxes).forEach(function (key) { boxes[key].classList.toggle("dim", name !== null && !near[key]); });
  }
  inGraph.forEach(function (r) {
    var at = spot["$" + r.name], short = r.name.length > 22 ? r.name.slice(0, 21) + "…" : r.name;
    var box = el("g", {}, [
      el("rect", {x: at.x, y: at.y, width: at.w, height: at.h, rx: 6}),
      el("rect", {x: at.x, y: at.y, width: 5, height: at.h, rx: 2, style: "stroke:none;fill:var(--" + (r.status === "running" ? "pending" : r.status) + ")"}),
      el("text", {x: at.x + 13, y: at.y + 18}, ICONS[r.status] + " " + short)]);
    boxes["$" + r.name] = box;
    var a = document.createElementNS(SVG, "a");
    a.setAttribute("href", "#r" + indexOf(r.name));
    a.setAttribute("aria-label", r.name + ", " + r.status + (r.role ? ", " + r.role : ""));
    var title = document.createElementNS(SVG, "title");
    title.textContent = r.name + ": " + r.status;
    a.append(title, box);
    a.addEventListener("mouseenter", function () { focus(r.name); });
    a.addEventListener("mouseleave", function () { focus(null); });
    a.addEventListener("focus", function () { focus(r.name); });
    a.addEventListener("blur", function () { focus(null); });
    svg.append(a);
  });
  return svg;
}
`;
