import { GRAPH_SCRIPT } from "./script-graph.ts";
import { RESOURCES_SCRIPT } from "./script-resources.ts";
import { SEARCH_SCRIPT } from "./script-search.ts";
import { TIMELINE_SCRIPT } from "./script-timeline.ts";

/*
 * The page's own program: plain JavaScript in strings, since it runs in a browser and not here. It builds elements and
 * text nodes only (`el`), never HTML from data. test/unit/report/html.browser.test.ts runs it in Chromium.
 */

// biome-ignore lint/complexity/noUselessStringRaw: kept raw, so that a backslash added later means itself.
const CORE = String.raw`
"use strict";
var DATA = JSON.parse(document.getElementById("data").textContent);
var R = DATA.result, LOGS = DATA.logs, APPLIED = DATA.applied;
var ICONS = {passed: "✓", failed: "✗", error: "✗", skipped: "–", pending: "…", running: "…", cancelled: "■"};
var SVG = "http://www.w3.org/2000/svg";
function el(tag, attributes, children) {
  var svg = /^(svg|path|rect|text|g)$/.test(tag);
  var node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  Object.keys(attributes || {}).forEach(function (name) {
    var value = attributes[name];
    if (value === undefined || value === null || value === false) return;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  });
  [].concat(children === undefined ? [] : children).forEach(function (child) {
    if (child !== null && child !== undefined) node.append(child);
  });
  return node;
}
function ms(timestamp) { return timestamp ? Date.parse(timestamp) : NaN; }
function duration(n) {
  if (n < 59950) return (Math.max(0, n) / 1000).toFixed(1) + "s";
  var s = Math.round(n / 1000), m = Math.floor(s / 60);
  if (m < 60) return m + "m" + String(s % 60).padStart(2, "0") + "s";
  return Math.floor(m / 60) + "h" + String(m % 60).padStart(2, "0") + "m";
}
function label(phase) { return (phase.phase || phase.name) + (phase.subject ? " " + phase.subject : ""); }
function place(p) { return p ? p.file + ":" + p.line + ":" + p.column : ""; }
function plural(n, noun) { return n + " " + noun + (n === 1 ? "" : "s"); }
var INDEX = {};
R.resources.forEach(function (r, i) { INDEX["$" + r.name] = i; });
function indexOf(name) { var i = INDEX["$" + name]; return i === undefined ? -1 : i; }
function link(name) {
  var i = indexOf(name);
  return i < 0 ? document.createTextNode(name) : el("a", {href: "#r" + i}, name);
}
function section(id, title, extra) {
  var header = el("header", {}, [el("h2", {}, title)].concat(extra || []));
  return el("section", {id: id, "aria-label": title}, header);
}
function toggles(names, current, choose) {
  var buttons = names.map(function (name) {
    return el("button", {type: "button", "aria-pressed": String(name === current), click: function () {
      buttons.forEach(function (b) { b.setAttribute("aria-pressed", String(b === this)); }, this);
      choose(name);
    }}, name);
  });
  return buttons;
}
function copyButton(text) {
  return el("button", {type: "button", class: "copy", click: function (event) {
    var done = function () { event.target.textContent = "Copied"; };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, function () {});
  }}, "Copy");
}
`;

const MAIN = String.raw`
function tiles() {
  var list = el("ul", {class: "tiles", "aria-label": "Resources by status"});
  ["failed", "error", "cancelled", "skipped", "pending", "passed"].forEach(function (status) {
    if (R.counts[status]) list.append(el("li", {}, [el("b", {class: "s-" + status}, String(R.counts[status])), el("span", {}, status)]));
  });
  var times = el("ul", {class: "tiles", "aria-label": "Wall time by phase"}, el("li", {class: "head2"}, "Wall time:"));
  R.timings.forEach(function (t) {
    times.append(el("li", {title: plural(t.count, t.phase + " phase") + ", " + duration(t.durationMs) + " of wall time"}, [el("b", {}, duration(t.durationMs)), el("span", {}, t.phase)]));
  });
  return el("div", {}, [list, R.timings.length ? times : null]);
}
function about() {
  var node = section("about", "Run");
  var rows = [["command", "tilt-ci " + R.run.argv.join(" ")], ["directory", R.run.directory], ["host", R.run.hostname], ["schema", R.schemaVersion]];
  Object.keys(R.limits).forEach(function (key) { rows.push([key.replace(/Ms$/, ""), R.limits[key] ? duration(R.limits[key]) : "none"]); });
  Object.keys(R.environment).forEach(function (key) { rows.push([key, R.environment[key]]); });
  var table = el("table", {}, rows.map(function (row) { return el("tr", {}, [el("th", {scope: "row"}, row[0]), el("td", {}, row[1])]); }));
  node.append(el("div", {class: "card"}, table));
  if (R.images.length) node.append(el("div", {class: "card"}, [el("h3", {}, "Images"), imageTable()]));
  if (R.warnings.length) node.append(el("div", {class: "card"}, [el("h3", {}, "Warnings"), el("ul", {}, R.warnings.map(function (w) {
    return el("li", {}, [w.position ? el("code", {}, place(w.position) + " ") : null, w.message]);
  }))]));
  var files = R.artifacts.filter(function (a) { return !a.resource; });
  if (files.length) node.append(el("div", {class: "card"}, [el("h3", {}, "Files"), el("ul", {}, files.map(function (a) {
    return el("li", {}, el("a", {href: encodeURI(a.path)}, a.path));
  }))]));
  return node;
}
function imageTable() {
  var head = el("tr", {}, ["image", "status", "build", "push", "digest"].map(function (h) { return el("th", {scope: "col"}, h); }));
  return el("table", {}, [head].concat(R.images.map(function (i) {
    return el("tr", {}, [el("td", {}, i.ref), el("td", {class: "s-" + i.status}, i.status + (i.cacheHit ? " (cached)" : "")),
      el("td", {class: "n"}, duration(i.buildMs)), el("td", {class: "n"}, duration(i.pushMs)), el("td", {}, el("code", {}, i.digest || ""))]);
  })));
}
function theme() {
  var root = document.documentElement, dark = window.matchMedia("(prefers-color-scheme: dark)"), chosen = null;
  try { chosen = localStorage.getItem("tilt-ci-theme"); } catch (e) { /* a file page may have no storage */ }
  function apply() { root.dataset.theme = chosen || (dark.matches ? "dark" : "light"); }
  dark.addEventListener("change", apply);
  document.getElementById("theme").addEventListener("click", function () {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("tilt-ci-theme", chosen); } catch (e) { /* kept for this view only */ }
    apply();
  });
  apply();
}
function keys() {
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    var target = {"/": "#resource-filter", l: "#log-query"}[event.key];
    if (target) { event.preventDefault(); document.querySelector(target).focus(); }
    if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1, event);
  });
}
function step(by, event) {
  var all = [].slice.call(document.querySelectorAll(".res:not([hidden]) > summary"));
  var at = all.indexOf(document.activeElement);
  var next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({block: "nearest"}); }
}
function openTarget() {
  var node = /^#r\d+$/.test(location.hash) && document.querySelector(location.hash);
  if (!node) return;
  node.hidden = false;
  node.open = true;
  node.scrollIntoView();
  node.querySelector("summary").focus({preventScroll: true});
}
var app = document.getElementById("app");
theme();
app.append(tiles(), timeline(), graph(), resources(), search(), about());
keys();
window.addEventListener("hashchange", openTarget);
openTarget();
document.documentElement.dataset.ready = "true";
`;

/** The whole program of the page. */
export const PAGE_SCRIPT = `(function(){${CORE}${TIMELINE_SCRIPT}${GRAPH_SCRIPT}${RESOURCES_SCRIPT}${SEARCH_SCRIPT}${MAIN}})();`;
