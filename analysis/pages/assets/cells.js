/* Memory, registers and choices as elements. Texts go in as text, never as markup. */

function element(name, properties = {}, ...content) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...content);
  return made;
}

/* A distribution as pairs of a value and a permille, the most probable first. */
function pairs(sparse) {
  if (!Array.isArray(sparse)) {
    return [[sparse, 1000]];
  }
  return sparse.filter((_, index) => index % 2 === 0).map((value, index) => [value, sparse[2 * index + 1]]);
}

const percent = (permille) => (permille >= 1000 ? "100%" : `${(permille / 10).toFixed(1)}%`);

/* A bar as wide as a share, for the eye; what it says stands beside it. */
function bar(permille) {
  const made = element("span", { className: "bar", ariaHidden: "true" });
  made.style.setProperty("--share", `${permille / 10}%`);
  return made;
}

/* One value with its name above it and remarks below. */
function cell(name, value, remarks, classes) {
  const parts = [element("span", { className: "name" }, name), element("span", { className: "value" }, String(value))];
  parts.push(...remarks.map((remark) => element("span", { className: "remark" }, remark)));
  return element("li", { className: ["cell", ...classes].join(" ") }, ...parts);
}

function cellRow(label, cells) {
  const list = element("ol", { className: "cells" }, ...cells);
  list.setAttribute("aria-label", label);
  return list;
}

/* The remarks and classes of a memory cell in a row of the run. */
function touches(row, address) {
  const here = row.touched.filter((touch) => touch.address === address);
  const reads = here.some((touch) => touch.gate === "READ");
  const write = here.filter((touch) => touch.gate === "WRITE").pop();
  const remarks = [...(reads ? ["READ"] : []), ...(write ? [`WRITE ${write.value}`] : [])];
  return { remarks, classes: [...(reads ? ["read"] : []), ...(write ? ["write"] : [])] };
}

function hardMemory(row, wanted) {
  const ended = row.block === null;
  return row.memory.map((value, address) => {
    const { remarks, classes } = touches(row, address);
    if (wanted && address in wanted) {
      classes.push("output");
      if (ended) {
        const right = wanted[address] === value;
        remarks.push(right ? "right" : `wanted ${wanted[address]}`);
        classes.push(right ? "right" : "wrong");
      }
    }
    return cell(address, value, remarks, classes);
  });
}

function hardRegisters(row) {
  return row.registers.map((value, register) => cell(data.registers[register], value, [], []));
}

function softCells(distributions, names) {
  return distributions.map((sparse, index) => {
    const [[value, permille], ...others] = pairs(sparse);
    const unsure = others.length > 0 || permille < 995;
    const made = cell(names(index), value, unsure ? [percent(permille)] : [], unsure ? ["unsure"] : []);
    made.append(bar(permille));
    return made;
  });
}
