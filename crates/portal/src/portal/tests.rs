//! The portal over real sockets.
