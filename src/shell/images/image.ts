/** What images hold: the server that runs in a container of it, and what it answers. */

/** A web server. `port`: where it listens without being told. */
export interface Image {
  readonly port: number | null;
  /** What `docker ps` shows as the command. */
  readonly command: string;
  readonly server: string | null;
  readonly page: string;
  readonly lastModified: string;
  readonly etag: string;
}

const NGINX_PAGE = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
    body {
        width: 35em;
        margin: 0 auto;
        font-family: Tahoma, Verdana, Arial, sans-serif;
    }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
`;

const NGINX: Image = {
  port: 80,
  command: "nginx -g 'daemon off;'",
  server: "nginx/1.13.6",
  page: NGINX_PAGE,
  lastModified: "Thu, 14 Sep 2017 16:35:09 GMT",
  etag: '"59baafbd-264"',
};

const HTTPD: Image = {
  port: 80,
  command: "httpd-foreground",
  server: "Apache/2.4.29 (Unix)",
  page: "<html><body><h1>It works!</h1></body></html>\n",
  lastModified: "Mon, 11 Jun 2007 18:53:14 GMT",
  etag: '"2d-432a5e4a73a80"',
};

const OTHER: Image = { port: null, command: "", server: null, page: "", lastModified: "", etag: "" };

/** The image of a name such as `nginx`, `docker.io/library/httpd:2.4` or `msfuko/nginx_8800`. */
export function imageOf(name: string): Image {
  const base = baseName(name);
  if (base === "nginx_8800") return { ...NGINX, port: 8800 };
  if (base === "nginx") return NGINX;
  if (base === "httpd") return HTTPD;
  return OTHER;
}

/** `nginx` of `docker.io/library/nginx:1.13`. */
export function baseName(image: string): string {
  const last = image.slice(image.lastIndexOf("/") + 1);
  return last.replace(/[:@].*$/, "");
}
