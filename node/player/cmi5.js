// cmi5 speaks to the laptop itself; this only says what has arrived there.
"use strict";
lontar.ready.then(function () { document.getElementById("isi").src = lontar.told.content; });
setInterval(function () { if (!document.hidden) lontar.ask(); }, 3000);
