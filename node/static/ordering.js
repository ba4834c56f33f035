// Puts steps into order with buttons. Without it each step is given its number from a list.
(function () {
  "use strict";
  var list = document.querySelector("[data-order]");
  if (!list) return;
  var told = document.createElement("p");
  told.className = "sr";
  told.setAttribute("role", "status");
  list.parentNode.insertBefore(told, list.nextSibling);

  function steps() { return [].slice.call(list.children); }
  function chosen(step) { return step.querySelector("select"); }
  function text(step) { return step.querySelector("label").textContent.trim(); }

  function number() {
    steps().forEach(function (step, at, all) {
      chosen(step).value = String(at + 1);
      step.querySelector(".at").textContent = String(at + 1);
      step.querySelector("[data-by='-1']").disabled = at === 0;
      step.querySelector("[data-by='1']").disabled = at === all.length - 1;
    });
  }

  function move(step, by) {
    var all = steps(), at = all.indexOf(step), other = all[at + by];
    if (!other) return;
    list.insertBefore(step, by < 0 ? other : other.nextSibling);
    number();
    told.textContent = text(step) + ": " + (at + by + 1);
    // At an end the pressed button can't be pressed any more: the focus goes to the other one.
    var pressed = step.querySelector("[data-by='" + by + "']");
    (pressed.disabled ? step.querySelector("[data-by='" + -by + "']") : pressed).focus();
  }

  function button(step, by, sign, name) {
    var made = document.createElement("button");
    made.type = "button";
    made.className = "move";
    made.dataset.by = by;
    made.textContent = sign;
    made.setAttribute("aria-label", name + ": " + text(step));
    made.addEventListener("click", function () { move(step, by); });
    return made;
  }

  var given = steps().every(function (step) { return chosen(step).value; });
  var first = steps();
  if (given) first.sort(function (one, other) { return chosen(one).value - chosen(other).value; });
  first.forEach(function (step) {
    var at = document.createElement("span"), buttons = document.createElement("span");
    at.className = "at";
    at.setAttribute("aria-hidden", "true");
    step.insertBefore(at, step.firstChild);
    buttons.className = "moves";
    buttons.appendChild(button(step, -1, "▲", list.dataset.up));
    buttons.appendChild(button(step, 1, "▼", list.dataset.down));
    step.appendChild(buttons);
    chosen(step).hidden = true;
    list.appendChild(step);
  });
  list.className += " moving";
  document.querySelectorAll("[data-order-hint]").forEach(function (hint) { hint.textContent = hint.dataset.orderHint; });
  number();
})();
