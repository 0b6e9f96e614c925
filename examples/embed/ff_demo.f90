! ff_demo.f90 - the force field of ff.pnn called from Fortran: the numbers that md.c prints.
!   gfortran ff.f90 ff_demo.f90 -o ff_demo libff.so -Wl,-rpath,. && ./ff_demo
program ff_demo
  use ff_module
  implicit none
  integer, parameter :: atoms = 7, calls = 3
  real(c_double) :: R(3, atoms), F(3, atoms), many(3, atoms, calls), E, all(calls), home
  integer(c_int8_t) :: work(ff_energy_batch_work) ! scratch memory
  integer :: i, k, c
  do i = 0, atoms - 1
    do k = 0, 2
      home = 0
      if (i > 0 .and. k == (i - 1)/2) home = merge(2.6d0, -2.6d0, mod(i, 2) == 0)
      R(k + 1, i + 1) = home + 0.03125d0*(mod(3*i + 5*k, 7) - 3)
    end do
  end do
  if (ff_energy(R, E) /= 0) stop 1
  if (ff_force(R, F) /= 0) stop 1
  do c = 1, calls
    many(:, :, c) = R*(1 + 0.0625d0*(c - 1))
  end do
  if (ff_energy_batch(int(calls, c_int64_t), many, all, work) /= 0) stop 1
  print '(ES25.17E3)', E
  print '(3ES26.17E3)', F
  print '(3ES26.17E3)', all
end program ff_demo
