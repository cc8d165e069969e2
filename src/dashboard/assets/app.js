// Where the dashboard begins: brings its parts together and shows the page that the address names.

import * as api from "/assets/api.js";
import * as keys from "/assets/keys.js";
import * as live from "/assets/live.js";
import * as machine from "/assets/machine.js";
import * as router from "/assets/router.js";
import * as theme from "/assets/theme.js";
import { openPalette } from "/assets/palette.js";
import { find } from "/assets/pages.js";
import { openHelp } from "/assets/parts/help.js";
import { Shell } from "/assets/parts/shell.js";
import { Stage } from "/assets/stage.js";
import { open as openLogin } from "/assets/pages/login.js";

const shell = new Shell(document.getElementById("app"));
const stage = new Stage(shell.stage);

let isSigningIn = false;

function show() {
  if (isSigningIn) {
    return;
  }
  const { parts, query } = router.current();
  const page = find(parts);
  shell.point(page.place);
  stage.show((context) => page.open(context, ...page.parameters), query);
}

/** Asks for a credential and goes on with the page that was asked for. */
function refuse() {
  if (isSigningIn) {
    return;
  }
  isSigningIn = true;
  live.close();
  machine.stop();
  shell.point(undefined);
  stage.show((context) => openLogin(context, begin));
}

/** Shows the first page once the stream is open: whatever happens after that is seen. */
async function begin() {
  isSigningIn = false;
  machine.start();
  shell.watch();
  await live.open();
  show();
}

theme.onChange(() => shell.draw());
theme.apply();
api.onRefused(refuse);
router.onChange(() => {
  show();
  shell.stage.focus();
});
live.onEvent((event) => stage.tell(event));
live.onChange((state) => {
  shell.draw();
  if (state.name === "live") {
    stage.reload();
  }
});
keys.listen({
  "?": openHelp,
  "Ctrl-K": openPalette,
  "g o": () => router.go("/"),
  "g p": () => router.go("/projects"),
  "g d": () => router.go("/deployments"),
  "g a": () => router.go("/actors"),
  "g t": () => router.go("/tasks"),
  "g z": () => router.go("/agent-zero"),
  "g e": () => router.go("/errors"),
  "g s": () => router.go("/search"),
});
begin();
