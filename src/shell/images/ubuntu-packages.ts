/** The head of what `dpkg-query -l` prints in Ubuntu 16.04. */
export const UBUNTU_PACKAGES = `Desired=Unknown/Install/Remove/Purge/Hold
| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend
|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)
||/ Name                     Version                       Architecture Description
+++-========================-=============================-============-======================================================================
ii  adduser                  3.113+nmu3ubuntu4             all          add and remove users and groups
ii  apt                      1.2.24                        amd64        commandline package manager
ii  base-files               9.4ubuntu4.5                  amd64        Debian base system miscellaneous files
ii  base-passwd              3.5.39                        amd64        Debian base system master password and group files
ii  bash                     4.3-14ubuntu1.2               amd64        GNU Bourne Again SHell
ii  coreutils                8.25-2ubuntu3~16.04           amd64        GNU core utilities
ii  dash                     0.5.8-2.1ubuntu2              amd64        POSIX-compliant shell
ii  dpkg                     1.18.4ubuntu1.3               amd64        Debian package management system
`;
