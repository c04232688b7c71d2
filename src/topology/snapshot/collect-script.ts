/**
 * What `podpath collect` prints: a POSIX shell script that copies a node's network state into a folder. It only reads.
 * Every command that the node lacks leaves its file empty.
 */
export const COLLECT_SCRIPT = `#!/bin/sh
# Copies this node's network state into a folder for podpath. Reads only; needs root to see every pod.
#   sh collect.sh [FOLDER]      then, anywhere:  podpath trace -f FOLDER --from node/NAME --to IP:PORT
set -u
name=$(hostname 2>/dev/null || cat /proc/sys/kernel/hostname)
name=\${PODPATH_NODE:-$name}
folder=\${1:-podpath-$name}
if [ -e "$folder" ]; then echo "$folder exists already" >&2; exit 2; fi
umask 077
mkdir -p "$folder/netns" || exit 2

# state FOLDER COMMAND...: everything of the namespace that COMMAND... enters (none: this one)
state() {
  to=$1; shift
  "$@" ip -j -d link show >"$to/link.json" 2>/dev/null
  "$@" ip -j addr show >"$to/addr.json" 2>/dev/null
  "$@" ip -j -4 route show table all >"$to/route.json" 2>/dev/null
  "$@" ip -j -4 rule show >"$to/rule.json" 2>/dev/null
  "$@" ip -j -4 neigh show >"$to/neigh.json" 2>/dev/null
  "$@" bridge -j -d fdb show >"$to/fdb.json" 2>/dev/null
  "$@" iptables-save -c >"$to/iptables-save" 2>/dev/null
  "$@" iptables-legacy-save -c >"$to/iptables-legacy-save" 2>/dev/null
  "$@" ipset save >"$to/ipset-save" 2>/dev/null
  "$@" sysctl -a 2>/dev/null | grep '^net\\.' >"$to/sysctl"
  "$@" conntrack -L >"$to/conntrack" 2>/dev/null
  "$@" ss -lntuH >"$to/ss" 2>/dev/null
  return 0
}

state "$folder" env
ip netns list-id >"$folder/list-id" 2>/dev/null

# pods: named namespaces, then those of processes; each namespace once, this one not
own=$(readlink /proc/self/ns/net)
seen=" $own "
add() {
  id=$1; pod=$2; shift 2
  case "$seen" in *" $id "*) return;; esac
  seen="$seen$id "
  number=$(printf '%s' "$id" | tr -cd 0-9)
  mkdir -p "$folder/netns/$number"
  printf '%s\\n' "$pod" >"$folder/netns/$number/name"
  [ "$named" = no ] || : >"$folder/netns/$number/named"
  state "$folder/netns/$number" "$@"
}
for file in /run/netns/* /var/run/docker/netns/*; do
  [ -e "$file" ] || continue
  pod=\${file##*/}
  id=$(nsenter --net="$file" readlink /proc/self/ns/net 2>/dev/null) || continue
  case "$file" in /run/netns/*) named=yes;; *) named=no;; esac
  add "$id" "$pod" nsenter --net="$file"
done
named=no
for process in /proc/[0-9]*; do
  id=$(readlink "$process/ns/net" 2>/dev/null) || continue
  case "$seen" in *" $id "*) continue;; esac
  pid=\${process##*/}
  pod=$(nsenter -t "$pid" -u hostname 2>/dev/null || echo "pid-$pid")
  add "$id" "$pod" nsenter -t "$pid" -n
done

printf '{"apiVersion":"podpath.dev/v1alpha1","kind":"NodeSnapshot","metadata":{"name":"%s"},"spec":{"kernel":"%s"}}\\n' \\
  "$name" "$(uname -r)" >"$folder/node-snapshot.json"
echo "$folder"
`;
