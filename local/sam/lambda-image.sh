#!/bin/sh
# Builds a container image that `sam local` takes as its Python base, from an interpreter of this machine, for places
# that reach no image registry. Usage: lambda-image.sh PYTHON TAG   (needs Linux, busybox-static and a Docker Engine)
set -eu
python=$1 tag=$2
command -v busybox >/dev/null || { echo 'busybox is missing: install busybox-static' >&2; exit 1; }
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# A shell and the few commands that the runtime's start script and sam's layers use.
mkdir -p "$root/bin" "$root/usr/bin" "$root/tmp" "$root/etc/ssl/certs" "$root/lib64" "$root/opt" \
	"$root/var/task" "$root/var/runtime" "$root/var/rapid" "$root/var/lang/bin" "$root/var/lang/lib"
chmod 1777 "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in sh mv chmod cp rm mkdir ls cat env true sleep; do ln -s busybox "$root/bin/$applet"; done

# The interpreter with its standard library.
cp -L "$prefix/bin/python$version" "$root/var/lang/bin/"
tar -C "$prefix/lib" --exclude='*/site-packages' --exclude='*/dist-packages' --exclude='*/test' --exclude='*/config-*' \
	--exclude='*/idlelib' --exclude='*/tkinter' --exclude='*/ensurepip' --exclude='__pycache__' -cf - "python$version" |
	tar -C "$root/var/lang/lib" -xf -
find "$prefix/lib" -maxdepth 1 -name "libpython$version*.so*" -exec cp -P {} "$root/var/lang/lib/" \;

# The shared libraries of both, and those that name resolution and wheels load at run time.
libraries() {
	ldd "$prefix/bin/python$version" "$prefix/lib/python$version"/lib-dynload/*.so 2>/dev/null | awk '/=> \//{print $3} /^\t\/lib/{print $1}'
	for name in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2 libstdc++.so.6 libgcc_s.so.1 libpthread.so.0 libdl.so.2 librt.so.1; do
		find /lib /usr/lib -maxdepth 2 -name "$name" | head -n 1
	done
}
libraries | grep -vE 'libpython|libtk|libtcl|libX|libxcb|libfreetype|libfontconfig' | sort -u | while read -r library; do
	mkdir -p "$root$(dirname "$library")"
	cp -L "$library" "$root$library"
done
[ ! -e /etc/nsswitch.conf ] || cp -L /etc/nsswitch.conf "$root/etc/"
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"

# Lambda's runtime interface client and the SDK, which the real image brings along.
"$python" -m pip install --quiet --disable-pip-version-check --target "$root/var/runtime" awslambdaric boto3
cat >"$root/var/runtime/bootstrap" <<BOOTSTRAP
#!/bin/sh
export PYTHONPATH="/var/task:/opt/python/lib/python$version/site-packages:/opt/python:/var/runtime"
export AWS_EXECUTION_ENV=AWS_Lambda_python$version
cd "\${LAMBDA_TASK_ROOT:-/var/task}"
exec /var/lang/bin/python$version -m awslambdaric "\$_HANDLER"
BOOTSTRAP
chmod +x "$root/var/runtime/bootstrap"

tar -C "$root" -c --numeric-owner --owner=0 --group=0 . | docker import \
	-c 'ENV LANG=C.UTF-8' -c 'ENV PATH=/var/lang/bin:/usr/bin:/bin:/opt/bin' -c 'ENV LD_LIBRARY_PATH=/var/lang/lib:/opt/lib' \
	-c 'ENV TZ=:UTC' -c 'ENV LAMBDA_TASK_ROOT=/var/task' -c 'ENV LAMBDA_RUNTIME_DIR=/var/runtime' -c 'WORKDIR /var/task' - "$tag"
