#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# aria2 calls this as GID FILES PATH when a torrent is complete.
touch "$3.done"
