// What scrolls can be reached by the keyboard: tables, as the theme does it for code.
document$.subscribe(() => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap"))
    Object.assign(table, { tabIndex: 0, role: "group", ariaLabel: "table" });
});
