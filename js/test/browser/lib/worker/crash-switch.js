// On the message "crash" the program's memory is overwritten: the next call into it traps.
let memory;
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (...args) => {
  const made = await instantiate(...args);
  memory = made.exports.mem;
  return made;
};
const switches = new BroadcastChannel("crash");
switches.onmessage = ({ data }) => {
  if (data !== "crash") return;
  new Uint8Array(memory.buffer).fill(0xff);
  switches.postMessage("done");
};
