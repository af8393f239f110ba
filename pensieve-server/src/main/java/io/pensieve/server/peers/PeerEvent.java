package io.pensieve.server.peers;

/** Something that people want to know of a peer. */
public sealed interface PeerEvent permits PeerChange, PeerUnanswering {}
