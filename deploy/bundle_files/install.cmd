@echo off
rem Memasang Lontar tanpa internet: klik dua kali.
chcp 65001 >nul
cd /d "%~dp0"
for %%v in (@PYTHONS@) do (
  py -%%v -c "" >nul 2>nul && ( py -%%v pasang.py %* & goto selesai )
)
python -c "" >nul 2>nul && ( python pasang.py %* & goto selesai )
echo Lontar memerlukan Python @PYTHONS@, dan di laptop ini tidak ada. Baca BACA-DULU.txt.
:selesai
pause
