/** Logs: one viewer with a filter for each, and a search over all of them. */
export const SEARCH_SCRIPT = String.raw`
function splitLine(line) {
  var match = /^(\d{4}-\d\d-\d\dT)([\d:.]+)Z (.*)$/.exec(line);
  return match ? {time: match[2], text: match[3]} : {time: "", text: line};
}
function marked(text, query) {
  if (!query) return [text];
  var out = [], lower = text.toLowerCase(), at = 0;
  for (var hit = lower.indexOf(query); hit >= 0; hit = lower.indexOf(query, at)) {
    out.push(text.slice(at, hit), el("mark", {}, text.slice(hit, hit + query.length)));
    at = hit + query.length;
  }
  out.push(text.slice(at));
  return out;
}
function logLines(path) { return (LOGS[path] || "").replace(/\n$/, "").split("\n"); }
var MAX_SHOWN = 5000;
function logPane(phase, wanted) {
  var path = phase.log.path, lines = logLines(path), pre = el("pre", {class: "log", tabindex: "0", role: "log", "aria-live": "off"});
  var note = el("span", {class: "note", "aria-live": "polite"});
  function draw(query) {
    pre.textContent = "";
    var shown = lines.filter(function (line) { return !query || line.toLowerCase().indexOf(query) >= 0; });
    var part = shown.slice(-MAX_SHOWN), parts = document.createDocumentFragment();
    part.forEach(function (line) {
      var split = splitLine(line);
      var level = /^ERROR: /.test(split.text) ? "e" : /^WARNING: /.test(split.text) ? "w" : "";
      parts.append(el("span", {class: "t"}, split.time ? split.time + " " : ""), el("span", {class: level}, marked(split.text, query)), "\n");
    });
    pre.append(parts);
    note.textContent = (query ? shown.length + " matching of " : "") + (LOGS[path] === undefined ? "not in this page" : lines.length < phase.log.lines ? "the last " + lines.length + " of " + plural(phase.log.lines, "line") : plural(lines.length, "line"));
    if (!query) pre.scrollTop = pre.scrollHeight;
  }
  var input = el("input", {type: "search", placeholder: "Filter lines", "aria-label": "Filter log lines", input: function () { draw(input.value.toLowerCase()); }});
  if (wanted) input.value = wanted;
  draw((wanted || "").toLowerCase());
  setTimeout(function () { if (!input.value) pre.scrollTop = pre.scrollHeight; });
  return el("div", {}, [el("div", {class: "bar2"}, [input, note, el("a", {href: encodeURI(path)}, path)]), pre]);
}
function search() {
  var node = section("logs", "Log search");
  var results = el("div", {"aria-live": "polite"}), pending = 0;
  var input = el("input", {id: "log-query", type: "search", placeholder: "Search all logs ( l )", "aria-label": "Search all logs", style: "width:100%", input: function () {
    clearTimeout(pending);
    pending = setTimeout(find, 120);
  }});
  function find() {
    var query = input.value.toLowerCase(), hits = 0, found = document.createDocumentFragment();
    results.textContent = "";
    if (query.length < 2) return;
    R.resources.forEach(function (r, i) { r.phases.forEach(function (p) {
      if (!p.log || LOGS[p.log.path] === undefined) return;
      var matches = logLines(p.log.path).filter(function (line) { return splitLine(line).text.toLowerCase().indexOf(query) >= 0; });
      if (!matches.length) return;
      hits += matches.length;
      if (hits - matches.length > 300) return;
      found.append(el("h3", {style: "margin:.7rem 0 .2rem"}, [el("a", {href: "#r" + i}, r.name), " " + label(p) + " (" + matches.length + ")"]));
      matches.slice(0, 20).forEach(function (line) { found.append(el("div", {class: "hit mono"}, marked(splitLine(line).text, query))); });
      if (matches.length > 20) found.append(el("p", {class: "note"}, "and " + (matches.length - 20) + " more"));
    }); });
    results.append(el("p", {class: "note"}, plural(hits, "matching line")), found);
  }
  node.append(el("div", {class: "card"}, [input, results]));
  return node;
}
`;
