"use strict";
// CommonJS, because bin/qinfra needs it without waiting for an import.
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

/** Written last by an install: { key, pinnedNodeRuns }. */
const markerPath = (root) => join(root, "node_modules", ".qinfra-install.json");

function readMarker(root) {
  try {
    return JSON.parse(readFileSync(markerPath(root), "utf8"));
  } catch {
    return undefined;
  }
}

const pinnedNodePath = (root) => join(root, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");

/** The Node that runs the platform: the pinned one, else this one where it is new enough. Undefined where neither is. */
function findNode24(root) {
  const pinned = pinnedNodePath(root);
  if (existsSync(pinned) && readMarker(root)?.pinnedNodeRuns !== false) return pinned;
  return Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : undefined;
}

function noNode24() {
  return (
    `This needs Node 24, and this is Node ${process.versions.node}: npm has no Node 24 package for ${process.platform}-${process.arch}, or left it out.\n` +
    "Run npm ci --include=optional, or install Node 24 or newer (https://nodejs.org) and run this with it."
  );
}

module.exports = { findNode24, markerPath, noNode24, pinnedNodePath, readMarker };
