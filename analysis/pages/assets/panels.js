/* One row of a run on the page: the block that fires, the machine hard and soft, and what was chosen from. */

const byId = (identifier) => document.getElementById(identifier);

function fill(identifier, ...content) {
  byId(identifier).replaceChildren(...content);
}

function showBlock(block) {
  for (const item of document.querySelectorAll("#listing .now")) {
    item.classList.remove("now");
    item.removeAttribute("aria-current");
  }
  const item = block === null ? null : byId(`block-${block}`);
  if (item) {
    item.classList.add("now");
    item.setAttribute("aria-current", "step");
    const listing = byId("listing");
    const above = item.offsetTop - listing.scrollTop;
    if (above < 0 || above + item.offsetHeight > listing.clientHeight) {
      listing.scrollTop = item.offsetTop - 20;
    }
  }
}

function showHard(row, wanted) {
  fill("hard-memory", cellRow("memory", hardMemory(row, wanted)));
  fill("hard-registers", cellRow("registers", hardRegisters(row)));
}

function showSoft(moment) {
  byId("soft").hidden = byId("attention").hidden = !moment;
  if (moment) {
    fill("soft-memory", cellRow("memory, most probable values", softCells(moment.memory, (index) => index)));
    const names = (index) => data.registers[index];
    fill("soft-registers", cellRow("registers, most probable values", softCells(moment.registers, names)));
  }
}

/* What a selector chose from, where it is pointed at or in focus. */
function readOut(name, sparse, nameOf) {
  const rows = pairs(sparse).map(([choice, permille]) =>
    element("li", {}, `${nameOf(choice)} ${percent(permille)}`, bar(permille)),
  );
  fill("readout", element("p", {}, `${name} \u2190`), element("ul", { className: "choices" }, ...rows));
}

function selectorChip(name, sparse, nameOf) {
  const [[choice, permille]] = pairs(sparse);
  const chip = element("button", { type: "button", className: "chip" });
  chip.append(`${name} \u2190 ${nameOf(choice)} `, element("span", { className: "share" }, percent(permille)), bar(permille));
  for (const kind of ["mouseenter", "focus", "click"]) {
    chip.addEventListener(kind, () => readOut(name, sparse, nameOf));
  }
  return chip;
}

function showSelectors(moment, block) {
  if (!moment || !moment.selectors) {
    fill("selectors", element("p", {}, "The run has ended."));
    return;
  }
  const nameOf = (choice) => data.choices[choice];
  const chips = data.live[block].map((number) =>
    selectorChip(data.selectors[number], moment.selectors[number], nameOf),
  );
  const stop = [1, moment.stop, 0, 1000 - moment.stop];
  const sorted = moment.stop >= 500 ? stop : [0, 1000 - moment.stop, 1, moment.stop];
  chips.push(selectorChip("stop?", sorted, (choice) => (choice === 1 ? "yes" : "no")));
  fill("selectors", ...chips, element("div", { id: "readout" }, element("p", {}, "Point at a choice to see what else was probable.")));
}
