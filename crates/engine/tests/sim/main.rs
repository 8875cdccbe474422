//! The engine itself, over a real store, in one thread and under virtual time: clients,
//! operators and providers behave as the dice say, time passes, and the gateway dies and
//! starts again at any moment. After every step nothing may be broken, and in the end
//! everybody has to be served.

mod acts;
mod checks;
mod dice;
mod drain;
mod known;
mod life;
mod office;
mod provider;
mod seeds;
mod world;
