/** The resources: a filterable list whose entries are filled when they are opened. */
export const RESOURCES_SCRIPT = `
function why(r) {
  var bad = r.phases.find(function (p) { return p.role === "culprit"; }) || r.phases.find(function (p) { return isRed(p.status); });
  if (bad) return label(bad) + ": " + (bad.message || bad.status) + (bad.code ? " (" + bad.code + ")" : "");
  var skipped = r.phases.find(function (p) { return p.skipReason; });
  if (r.status === "skipped" && skipped) return skipped.skipReason;
  return r.observed ? r.observed.summary : "";
}
var RANK = {error: 0, failed: 1, cancelled: 2, running: 3, pending: 4, skipped: 5, passed: 6};
function resources() {
  var state = {text: "", status: "All"};
  var filter = el("input", {id: "resource-filter", type: "search", placeholder: "Filter by name, label, image, reason ( / )", "aria-label": "Filter resources", input: function () { state.text = filter.value.toLowerCase(); apply(); }});
  var summary = el("span", {class: "note", "aria-live": "polite"});
  var node = section("resources", "Resources", [summary, el("span", {class: "grow"})].concat(toggles(["All", "Not passed"], "All", function (name) { state.status = name; apply(); }), [filter]));
  var list = el("div", {role: "list"});
  var entries = R.resources.map(function (r, i) {
    var entry = {resource: r, node: resourceEntry(r, i), text: [r.name, r.status, r.role || "", r.type, why(r)].concat(r.labels, r.images, r.objects).join(" ").toLowerCase()};
    return entry;
  });
  entries.slice().sort(function (a, b) { return order(a.resource) - order(b.resource); }).forEach(function (e) { list.append(e.node); });
  function order(r) { return RANK[r.status] * 10 + (r.role === "culprit" ? 0 : r.role === "echo" ? 1 : 2) + (r.enabled ? 0 : 1000); }
  function apply() {
    var shown = 0;
    entries.forEach(function (e) {
      var on = e.text.indexOf(state.text) >= 0 && (state.status === "All" || (e.resource.status !== "passed" && e.resource.enabled));
      e.node.hidden = !on;
      if (on) shown++;
    });
    summary.textContent = shown === entries.length ? plural(shown, "entry").replace("entrys", "entries") : shown + " of " + entries.length;
  }
  apply();
  node.append(list);
  return node;
}
function resourceEntry(r, i) {
  var role = r.role === "echo" || r.role === "blocked" ? r.role + " of " + r.causedBy.map(function (c) { return c.resource; }).join(", ") : r.role === "culprit" ? "first cause" : "";
  var chips = el("span", {class: "chips", "aria-hidden": "true"}, r.phases.map(function (p) { return el("i", {class: p.status, title: label(p) + ": " + p.status}); }));
  var entry = el("details", {class: "res", id: "r" + i, role: "listitem", toggle: function () {
    if (entry.open && !entry.dataset.filled) { entry.dataset.filled = "true"; entry.append(resourceBody(r)); }
  }}, el("summary", {}, [
    el("span", {class: "icon s-" + r.status, "aria-label": r.status}, ICONS[r.status]),
    el("span", {class: "name"}, r.name), el("span", {class: "note"}, role.replace("blocked of", "blocked by")),
    el("span", {class: "why"}, !r.enabled ? "disabled" : r.role === "blocked" ? "" : why(r)), chips, el("span", {class: "dur"}, r.startedAt ? duration(r.durationMs) : "")]));
  return entry;
}
function resourceBody(r) {
  var body = el("div", {class: "body"});
  var facts = [["type", r.type], ["Tiltfile", place(r.position)], ["labels", r.labels.join(", ")], ["images", r.images.join(", ")], ["objects", r.objects.join(", ")]].filter(function (f) { return f[1]; });
  body.append(el("p", {class: "note"}, facts.map(function (f) { return f[0] + ": " + f[1]; }).join(" · ")));
  if (r.resourceDeps.length) body.append(el("p", {class: "note"}, ["depends on "].concat(separated(r.resourceDeps.map(link)))));
  r.causedBy.forEach(function (c) {
    body.append(el("p", {}, [c.relation === "echo" ? "Echo of " : c.relation === "blocked" ? "Blocked by " : "Needs ", link(c.resource), ": " + c.phase, c.evidence ? el("code", {}, "  " + c.evidence) : null]));
  });
  body.append(phaseTable(r), panes(r));
  return body;
}
function separated(nodes) {
  var out = [];
  nodes.forEach(function (n, i) { if (i) out.push(", "); out.push(n); });
  return out;
}
function phaseTable(r) {
  var head = el("tr", {}, ["phase", "status", "took", "started", "why"].map(function (h) { return el("th", {scope: "col"}, h); }));
  return el("table", {}, [head].concat(r.phases.map(function (p) {
    var notes = [p.message ? p.message + (p.code ? " (" + p.code + ")" : "") : p.skipReason || ""];
    if (p.flaky) notes.push("passed at attempt " + p.attempts.length);
    if (p.cached) notes.push("cached");
    Object.keys(p.facts || {}).forEach(function (k) { notes.push(k + " " + p.facts[k]); });
    var cell = el("td", {}, notes.filter(Boolean).join(" · "));
    if (p.failure && p.failure.detail) cell.append(el("pre", {}, p.failure.detail));
    if (p.failure && p.failure.hint) cell.append(el("p", {class: "note"}, "Try: " + p.failure.hint));
    (p.attempts.length > 1 ? p.attempts.slice(0, -1) : []).forEach(function (a) { cell.append(el("p", {class: "note"}, "attempt " + a.number + " (" + duration(a.durationMs) + "): " + (a.failure ? a.failure.message : a.status))); });
    if (p.steps) cell.append(el("details", {}, [el("summary", {class: "note"}, plural(p.steps.length, "step")), el("table", {}, p.steps.map(function (s) { return el("tr", {}, [el("td", {}, s.name), el("td", {class: "n"}, duration(s.durationMs))]); }))]));
    return el("tr", {}, [el("td", {}, label(p)), el("td", {class: "s-" + p.status}, p.status), el("td", {class: "n"}, p.startedAt ? duration(p.durationMs) : ""), el("td", {class: "n"}, p.startedAt ? p.startedAt.slice(11, 23) : ""), cell]);
  })));
}
function panes(r) {
  var tabs = [];
  r.phases.forEach(function (p) { if (p.log) tabs.push({name: "Log: " + label(p), red: isRed(p.status), make: function () { return logPane(p); }}); });
  if (r.events.length) tabs.push({name: "Events (" + r.events.length + ")", make: function () { return eventsPane(r); }});
  if (r.observed) tabs.push({name: "Conditions", make: function () { return conditionsPane(r); }});
  if (APPLIED[r.name] !== undefined) tabs.push({name: "Applied YAML", make: function () { return yamlPane(r); }});
  var holder = el("div"), bar = el("div", {class: "tabs", role: "tablist"});
  tabs.forEach(function (tab) {
    tab.button = el("button", {type: "button", role: "tab", "aria-selected": "false", "aria-pressed": "false", click: function () { open(tab); }, keydown: function (event) {
      var by = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      var next = by && tabs[tabs.indexOf(tab) + by];
      if (next) { next.button.focus(); open(next); }
    }}, tab.name);
    bar.append(tab.button);
  });
  function open(tab) {
    tabs.forEach(function (t) { t.button.setAttribute("aria-pressed", String(t === tab)); t.button.setAttribute("aria-selected", String(t === tab)); });
    holder.textContent = "";
    holder.append(tab.make());
  }
  var first = tabs.find(function (t) { return t.red; }) || tabs[0];
  if (first) open(first);
  return el("div", {}, [bar, holder]);
}
function eventsPane(r) {
  var head = el("tr", {}, ["time", "object", "reason", "message", "count"].map(function (h) { return el("th", {scope: "col"}, h); }));
  return el("table", {}, [head].concat(r.events.map(function (e) {
    return el("tr", {}, [el("td", {class: "n"}, e.at.slice(11, 23)), el("td", {}, e.object), el("td", {class: e.warning ? "s-failed" : ""}, e.reason), el("td", {}, e.message), el("td", {class: "n"}, "×" + e.count)]);
  })));
}
function conditionsPane(r) {
  var o = r.observed;
  var head = el("tr", {}, ["pod", "phase", "ready", "restarts", "node", "scheduled", "initialized", "started", "ready at"].map(function (h) { return el("th", {scope: "col"}, h); }));
  function time(t) { return el("td", {class: "n"}, t ? t.slice(11, 23) : ""); }
  return el("div", {}, [el("p", {}, o.state + ": " + o.summary + (o.crashes ? ", " + plural(o.crashes, "crash").replace("crashs", "crashes") : "") + ", seen " + o.at.slice(11, 23)),
    o.pods.length ? el("table", {}, [head].concat(o.pods.map(function (p) {
      return el("tr", {}, [el("td", {}, p.namespace + "/" + p.name), el("td", {}, p.phase), el("td", {}, p.ready ? "yes" : "no"), el("td", {class: "n"}, String(p.restarts)), el("td", {}, p.node || ""), time(p.scheduledAt), time(p.initializedAt), time(p.startedAt), time(p.readyAt)]);
    }))) : null]);
}
function yamlPane(r) { return el("pre", {class: "log", tabindex: "0"}, APPLIED[r.name]); }
`;
