// A saved page: steps through the states that the engine recorded. VIEW is the view's module.
class Recording {
  constructor(states) {
    this.states = states;
    this.place = 0;
    this.recorded = true;
    this.heard = {};
  }
  get() {
    const state = this.states[this.place];
    const can = { back: this.place > 0, step: this.place < this.states.length - 1 };
    return { ...this.states[0], ...state, can, seed: null, settings: state.settings.map((s) => ({ ...s })) };
  }
  on(name, call) {
    (this.heard[name] ??= []).push(call);
  }
  off(name, call) {
    this.heard[name] = (this.heard[name] ?? []).filter((one) => one !== call);
  }
  send({ do: what }) {
    const last = this.states.length - 1;
    const goal = { step: this.place + 1, back: this.place - 1, reset: 0, again: 0 }[what];
    if (goal === undefined) {
      const message = this.states[0].words["this is a recording"];
      setTimeout(() => (this.heard["msg:custom"] ?? []).forEach((call) => call({ event: "problem", message })));
      return;
    }
    this.place = Math.max(0, Math.min(last, goal));
    setTimeout(() => (this.heard["change:state"] ?? []).forEach((call) => call()));
  }
}

const states = JSON.parse(document.getElementById("recording").textContent);
const module = await import(VIEW);
module.default.render({ model: new Recording(states), el: document.getElementById("view") });
