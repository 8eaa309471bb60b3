"use strict";
(() => {
  const finder = document.querySelector(".finder");
  const table = document.getElementById("tasks-table");
  if (!finder || !table) return;
  finder.hidden = false;
  const rows = [...table.tBodies[0].rows];
  const found = document.getElementById("found");
  const show = () => {
    const words = document.getElementById("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => row.dataset.search.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    found.textContent = words.length ? `${shown} of ${rows.length}` : "";
  };
  document.getElementById("find").addEventListener("input", show);
  show();
})();
