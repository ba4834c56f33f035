// cmi5 speaks to the laptop itself; this only says what has arrived there.
"use strict";
setInterval(lontar.ask, 3000);
