/* Big keys for entering a PIN by touch. Without this file people type into the fields. */
(function () {
  "use strict";
  var pad = document.querySelector(".pad");
  var fields = Array.prototype.slice.call(document.querySelectorAll("input.pin"));
  if (!pad || !fields.length) return;
  var active = fields[0];

  fields.forEach(function (field) {
    field.addEventListener("focus", function () { active = field; });
  });

  function press(key) {
    var before = fields[fields.indexOf(active) - 1];
    if (key === "delete" && !active.value && before) active = before;
    if (key === "delete") active.value = active.value.slice(0, -1);
    else if (key === "clear") active.value = "";
    else if (active.value.length < 6) active.value += key;
    var next = fields[fields.indexOf(active) + 1];
    if (active.value.length === 6 && next && !next.value) active = next;
    fields.forEach(function (field) { field.classList.toggle("active", field === active && fields.length > 1); });
  }

  ["1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "0", "delete"].forEach(function (key) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = key === "delete" ? pad.dataset.delete : key === "clear" ? pad.dataset.clear : key;
    if (key.length > 1) button.className = "word";
    button.addEventListener("click", function () { press(key); });
    pad.appendChild(button);
  });
  pad.hidden = false;
})();
